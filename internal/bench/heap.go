package main

import (
	"runtime"
	"runtime/metrics"
)

// heapMeter measures the growth of the heap of this process.
type heapMeter struct {
	samples     []metrics.Sample
	start, most uint64
}

func newHeapMeter() *heapMeter {
	return &heapMeter{samples: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
}

func (m *heapMeter) now() uint64 {
	metrics.Read(m.samples)
	return m.samples[0].Value.Uint64()
}

func (m *heapMeter) begin() {
	runtime.GC()
	m.start = m.now()
	m.most = m.start
}

func (m *heapMeter) sample() { m.most = max(m.most, m.now()) }

func (m *heapMeter) growth() uint64 { return m.most - m.start }
