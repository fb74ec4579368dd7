package p
import ("testing";"os";"context";"fmt";"github.com/musterhq/muster/agent/host";"github.com/musterhq/muster/agent/section"
 "github.com/musterhq/muster/agent/section/operatingsystem";"github.com/musterhq/muster/agent/section/storage";"github.com/musterhq/muster/agent/section/volume";"github.com/musterhq/muster/agent/section/network";"github.com/musterhq/muster/agent/section/service";"google.golang.org/protobuf/encoding/protojson")
var cs=[]section.Collector{operatingsystem.Collector(),storage.Collector(),volume.Collector(),network.Collector(),service.Collector()}
func TestX(t *testing.T){ h:=host.Local(); if r:=os.Getenv("R");r!=""{h,_=host.Tree(r)}; for _,r:=range section.Run(context.Background(),h,cs){ fmt.Println(r.Section,r.Status,r.Message,r.Duration,len(r.Items)); for _,i:=range r.Items { fmt.Println("  ",protojson.Format(i)) } } }
func BenchmarkAll(b *testing.B){ b.ReportAllocs(); for b.Loop(){ section.Run(context.Background(),host.Local(),cs)}}
func BenchmarkEach(b *testing.B){ for i:=range cs { b.Run(cs[i].Name,func(b *testing.B){b.ReportAllocs(); for b.Loop(){ section.Run(context.Background(),host.Local(),cs[i:i+1])}})}}
