using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>
/// Start-AccessListener: a local port, as a job, whose every connection goes through a chain, to one destination or, as a SOCKS5 and HTTP
/// proxy, to where each client asks for.
/// </summary>
[Cmdlet(VerbsLifecycle.Start, "AccessListener", SupportsShouldProcess = true)]
[OutputType(typeof(AccessListenerJob))]
public sealed class StartAccessListenerCommand : StartRoutedListenerCommand
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public EndpointArgument? Destination { get; set; }

    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn(Means = 0)]
    [ValidateRange(0, 65535)]
    public int LocalPort { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public AccessProtocol[]? Protocol { get; set; }

    [Parameter]
    public ProxyHeaderVersion SendProxyProtocol { get; set; }

    private protected override int Port => LocalPort;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        // every bad argument gets its own error, so all are read before giving up
        HostEndpoint? destination = null;
        bool good = Destination is null || TryRead(Destination.Resolve, "InvalidDestination", Destination.ToString(), out destination);
        good &= TryRead(CheckedProtocols, "InvalidProtocol", Protocol is null ? null : string.Join(",", Protocol), out AccessProtocol[]? protocols);
        AccessListenerOptions options = new() { Destination = destination, Udp = protocols is [AccessProtocol.Udp], Protocols = Served(protocols ?? []) };
        if (!TryApply(this, Placed(options), SendProxyProtocol, out options) || !good) return;
        Start($"Start access listener to {destination?.ToString() ?? "where clients ask for"}", () => new AccessListener(options), listener => new AccessListenerJob(listener));
    }

    private AccessProtocol[] CheckedProtocols()
    {
        AccessProtocol[] given = Protocol ?? [];
        bool isProxy = Array.Exists(given, protocol => protocol is AccessProtocol.Socks5 or AccessProtocol.Http);
        bool isForward = Array.Exists(given, protocol => protocol is AccessProtocol.Tcp or AccessProtocol.Udp);
        if (Destination is not null && isProxy) throw new FormatException("With a -Destination -Protocol is Tcp or Udp: clients of Socks5 and Http say themselves where they want to go.");
        if (Destination is null && isForward) throw new FormatException("Without a -Destination -Protocol is Socks5, Http or both: Tcp and Udp do not say where to go.");
        if (isForward && given.Length > 1) throw new FormatException("A listener takes Tcp or Udp, not both; start two.");
        // a file whose column has another name would open proxies in place of forwards
        return Destination is null && !isProxy && MyInvocation.ExpectingInput
            ? throw new FormatException("The input has no Destination; give -Protocol Socks5,Http to start proxies for it.")
            : given;
    }

    private static ProxyProtocols? Served(AccessProtocol[] protocols)
    {
        ProxyProtocols served = ProxyProtocols.None;
        if (protocols.Contains(AccessProtocol.Socks5)) served |= ProxyProtocols.Socks5;
        if (protocols.Contains(AccessProtocol.Http)) served |= ProxyProtocols.Http;
        return served == ProxyProtocols.None ? null : served;
    }
}

/// <summary>Set-AccessListener: other settings for running access listeners.</summary>
[Cmdlet(VerbsCommon.Set, "AccessListener", SupportsShouldProcess = true)]
[OutputType(typeof(AccessListenerJob))]
public sealed class SetAccessListenerCommand : SetRoutedListenerCommand
{
    [Parameter]
    public ProxyHeaderVersion SendProxyProtocol { get; set; }

    private protected override bool IsMeant(ProxyJob job) => job is AccessListenerJob;

    private protected override Action? Prepare(ProxyJob job)
    {
        var listener = (AccessListener)job.Service;
        return TryApply(this, listener.Options, SendProxyProtocol, out AccessListenerOptions changed) ? () => listener.Reconfigure(changed) : null;
    }
}
