package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/musterhq/muster/internal/store"
)

// metricsHandler serves the metrics, on their own listener.
func metricsHandler(s *store.Store) http.Handler {
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
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}
