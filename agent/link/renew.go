package link

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// RenewAt returns when to renew the identity's certificate: after 40 to 60 % of its lifetime, so
// that agents enrolled together do not renew together. The lifetime starts when the certificate
// arrived, because this machine's clock may be wrong. The jitter is derived from the certificate,
// so that it need not be stored.
func RenewAt(identity state.Identity) time.Time {
	signature := identity.Certificate.Signature // its last bytes are as good as random
	random := binary.BigEndian.Uint32(signature[len(signature)-4:])
	share := 0.4 + 0.2*float64(random)/(1<<32)
	return identity.Received.Add(time.Duration(share * float64(life(identity.Certificate))))
}

// ExpiresAt returns when the identity's certificate expires, by this machine's clock.
func ExpiresAt(identity state.Identity) time.Time {
	return identity.Received.Add(life(identity.Certificate))
}

// life returns the lifetime of a certificate from its issue.
func life(certificate *x509.Certificate) time.Duration {
	return certificate.NotAfter.Sub(certificate.NotBefore) - pki.Backdate
}

// ensureCertificate renews the certificate when it is due. A failed renewal is an error only if the
// certificate has expired or was refused.
func (a *Agent) ensureCertificate(ctx context.Context, identity state.Identity) (state.Identity, error) {
	if !a.renew && a.now().Before(RenewAt(identity)) {
		return identity, nil
	}
	renewed, err := a.renewCertificate(ctx, identity)
	switch {
	case err == nil:
		a.renew = false
		return renewed, nil
	case a.renew || !a.now().Before(ExpiresAt(identity)):
		return identity, fmt.Errorf("renew the expired certificate: %w", err)
	default:
		a.logger().Warn("certificate not renewed", "error", Explain(err), "expires", ExpiresAt(identity))
		return identity, nil
	}
}

// renewCertificate connects without a certificate, because the handshake would refuse an expired
// one. It signs the collector's nonce instead.
func (a *Agent) renewCertificate(ctx context.Context, identity state.Identity) (state.Identity, error) {
	connection, err := connectAs(identity, nil, a.now)
	if err != nil {
		return identity, err
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := renew(ctx, connection, identity)
	if err != nil {
		return identity, err
	}
	renewed, err := withCertificate(identity, answer.GetCertificate(), answer.GetAuthorities(), a.now())
	if err != nil {
		return identity, err
	}
	if err := a.State.SetIdentity(renewed); err != nil {
		return identity, err
	}
	a.logger().Info("certificate renewed", "agent", renewed.AgentID, "expires", ExpiresAt(renewed))
	return renewed, nil
}

func renew(
	ctx context.Context, connection *grpc.ClientConn, identity state.Identity,
) (*inventoryv1.RenewResponse, error) {
	client := inventoryv1.NewEnrollmentClient(connection)
	challenge, err := client.Challenge(ctx, &inventoryv1.ChallengeRequest{})
	if err != nil {
		return nil, err
	}
	signature, err := pki.SignRenew(identity.Key, challenge.GetNonce())
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&identity.Key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	request := &inventoryv1.RenewRequest{PublicKey: public, Nonce: challenge.GetNonce(), Signature: signature}
	return client.Renew(ctx, request)
}
