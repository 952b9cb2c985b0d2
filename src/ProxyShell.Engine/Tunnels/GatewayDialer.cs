using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Connects an agent to its gateway: through the chain, then TLS, then WebSocket, both end to end.</summary>
internal sealed class GatewayDialer(TunnelAgentOptions options)
{
    private readonly ChainConnector _chains = new(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);

    /// <exception cref="ProxyException">It cannot be reached; the message names the hop or the gateway.</exception>
    public async ValueTask<DuplexConnection> DialAsync(CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(options.GatewayTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return await ConnectAsync(either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!stop.IsCancellationRequested && e is ProxyException or OperationCanceledException)
        {
            throw Explain(e, limit.IsCancellationRequested);
        }
    }

    private async ValueTask<DuplexConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        GatewayAddress gateway = options.Gateway;
        // TLS is not left to the last hop: it would see everything, and show its own certificate
        var target = new FlightTarget(TransportAddress.Tcp(gateway.Endpoint), TlsTrust.System, null);
        var request = new ChainRequest(options.Chain, target, DestinationPolicy.AllowAll) { TimeLimit = options.GatewayTimeout };
        DuplexConnection connection = await _chains.ConnectAsync(request, cancellationToken).ConfigureAwait(false);
        string serverName = gateway.ServerName ?? gateway.Endpoint.Host;
        if (gateway.UsesTls) connection = await TlsTransport.ConnectAsync(connection, gateway.Trust, serverName, null, cancellationToken).ConfigureAwait(false);
        if (gateway.WebSocketPath is { } path) connection = await WebSocketTransport.ConnectAsync(connection, gateway.Endpoint, path, cancellationToken).ConfigureAwait(false);
        return connection;
    }

    private ProxyException Explain(Exception e, bool isLate)
    {
        string subject = $"gateway {options.Gateway}";
        if (e is ProxyException { HopNumber: not null } hop) return hop;
        if (isLate || e is not ProxyException known)
            return new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, subject, $"not reached within {options.GatewayTimeout.TotalSeconds:0.###} s", e);
        return new ProxyException(known.Reason, known.Stage, subject, known.Detail, known);
    }
}
