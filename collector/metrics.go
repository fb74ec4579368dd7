package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsHandler serves the metrics, on their own listener.
func (c *collector) metricsHandler() http.Handler {
	s := c.store
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "muster_store_connections_in_use", Help: "Database connections in use.",
		}, func() float64 { return float64(s.InUse()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "muster_store_statements_total", Help: "Statements sent to the database.",
		}, func() float64 { return float64(s.Statements()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "muster_store_up", Help: "1 if the database answers, otherwise 0.",
		}, func() float64 { return oneIf(s.Outage() == nil) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "muster_ingest_accepting",
			Help: "1 if inventories are accepted, 0 while the database or its disk prevents it.",
		}, func() float64 { return oneIf(c.accepting() == nil) }),
	)
	if c.cluster != nil {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "muster_store_free_bytes", Help: "Free space of the disk of the private database.",
		}, func() float64 { return float64(c.disk.space.Load()) }))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
