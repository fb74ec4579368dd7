// Package installers contains the service definitions that packages install and that "muster-agent
// service install" writes. README.md describes how packages are built.
package installers

import _ "embed" // the files below

// AgentProgram is the path of the agent in the service definitions.
const AgentProgram = "/usr/bin/muster-agent"

// AgentUnit is the systemd unit of the agent.
//
//go:embed linux/muster-agent.service
var AgentUnit string

// AgentOpenRC is the OpenRC script of the agent.
//
//go:embed linux/muster-agent.openrc
var AgentOpenRC string

// MacProgram is the path of the agent in its launchd definition.
const MacProgram = "/opt/muster/bin/muster-agent"

// AgentLaunchd is the launchd definition of the agent.
//
//go:embed macos/muster-agent.plist
var AgentLaunchd string
