using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Connects through a chain for programs that have no listener of the engine: they relay or read and write themselves.</summary>
public sealed class ChainClient
{
    private readonly TimeProvider _time;
    private readonly ChainConnector _connector;

    /// <summary>Makes a client.</summary>
    public ChainClient(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _connector = new ChainConnector(Dialer.Default, _time);
    }

    /// <summary>How long setting up the whole way may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connects to the destination; the caller owns the connection.</summary>
    /// <exception cref="ProxyException">The way could not be set up; the message names the hop or destination at fault.</exception>
    public async Task<DuplexConnection> ConnectAsync(ProxyChain chain, HostEndpoint destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(destination);
        using var deadline = new CancellationTokenSource(ConnectTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var request = new ChainRequest(chain, new FlightTarget(TransportAddress.Tcp(destination), TlsTrust.System, null), DestinationPolicy.AllowAll) { TimeLimit = ConnectTimeout };
            return await _connector.ConnectAsync(request, both.Token).ConfigureAwait(false);
        }
        catch (ProxyException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
