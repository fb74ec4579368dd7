package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// enrollmentStore stores how agents enroll and who they are.
type enrollmentStore interface {
	enrollmentTokenStore
	agentStore
}

type agentStore interface {
	ListAgents(ctx context.Context, q inventory.AgentQuery, visit inventory.Visit[inventory.Agent]) error
	Agent(ctx context.Context, id string) (inventory.Agent, error)
	ApproveAgent(ctx context.Context, id string, actor inventory.Actor) error
	RefuseAgent(ctx context.Context, id string, actor inventory.Actor) error
	RevokeAgents(ctx context.Context, ids []string, actor inventory.Actor) error
}

// AgentPath names an agent.
type AgentPath struct {
	ID string `path:"id" format:"uuid" doc:"The agent's id."`
}

// Resolve makes the id canonical. huma calls it after it has checked that the id is a UUID.
func (p *AgentPath) Resolve(huma.Context) []error {
	p.ID = canonicalID(p.ID)
	return nil
}

// AgentsInput asks for a list of agents.
type AgentsInput struct {
	ListParams

	State string `query:"state" enum:"pending,approved,refused,revoked,all" default:"all" doc:"Only agents in this state."`
}

// DecideAgentInput approves, refuses or revokes an agent.
type DecideAgentInput struct {
	AgentPath
	ReasonBody
}

// AgentOutput answers with an agent.
type AgentOutput struct{ Body inventory.Agent }

func (s *server) registerAgents() {
	agents := tableOf[inventory.Agent]()
	list := s.operation(http.MethodGet, "/api/v1/agents", "list-agents", enrollmentTag, "List agents")
	list.Description = "In the order of their enrollment. ?state=pending lists those that wait until a person " +
		"approves them. The serial number and the host name are what an agent claimed when it enrolled."
	handleList(s, list, func(_ context.Context, in *AgentsInput) (listing[inventory.Agent], error) {
		query := inventory.AgentQuery{State: in.State}
		if query.State == "all" {
			query.State = ""
		}
		return listing[inventory.Agent]{
			params: &in.ListParams, name: "agents", table: agents,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Agent]) error {
				query.Page = page
				return s.Store.ListAgents(ctx, query, visit)
			},
		}, nil
	})

	s.registerAgentDecision("approve", "Approve an agent",
		`The agent can report from its next attempt on, which is at most 15 minutes away. E.g. {"reason": "ordered"}.`,
		func(ctx context.Context, id string, actor inventory.Actor) error {
			return s.Store.ApproveAgent(ctx, id, actor)
		})
	s.registerAgentDecision("refuse", "Refuse an agent",
		`The key of the pending agent is never accepted. E.g. {"reason": "nobody knows the machine"}.`,
		func(ctx context.Context, id string, actor inventory.Actor) error {
			return s.Store.RefuseAgent(ctx, id, actor)
		})
	s.registerAgentDecision("revoke", "Revoke an agent",
		"The collector rejects the agent from now on, with all agents that were forked from it, and ends their "+
			`connections within 2 s. What they reported stays. E.g. {"reason": "stolen"}.`,
		func(ctx context.Context, id string, actor inventory.Actor) error {
			return s.Store.RevokeAgents(ctx, []string{id}, actor)
		})
}

func (s *server) registerAgentDecision(
	verb, summary, description string, decide func(ctx context.Context, id string, actor inventory.Actor) error,
) {
	op := s.operation(http.MethodPost, "/api/v1/agents/{id}/"+verb, verb+"-agent", enrollmentTag, summary)
	op.Description = description
	handle(s, op, func(ctx context.Context, in *DecideAgentInput) (*AgentOutput, error) {
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		if err := decide(ctx, in.ID, actor(ctx, in.Body.Reason)); err != nil {
			return nil, err
		}
		agent, err := s.Store.Agent(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &AgentOutput{Body: agent}, nil
	})
}
