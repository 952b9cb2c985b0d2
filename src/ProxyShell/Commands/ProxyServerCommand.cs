using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Start-ProxyServer: a proxy server as a job.</summary>
[Cmdlet(VerbsLifecycle.Start, "ProxyServer", SupportsShouldProcess = true)]
[OutputType(typeof(ProxyServerJob))]
public sealed class StartProxyServerCommand : StartListenerCommand
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0, 65535)]
    public int LocalPort { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateSet(nameof(ProxyProtocols.Relay), nameof(ProxyProtocols.Socks5), nameof(ProxyProtocols.Http))]
    public ProxyProtocols[]? Protocol { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public KeyArgument[]? Key { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public KeyArgument[]? PayloadKey { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(CertificateCompleter))]
    public CertificateArgument? Certificate { get; set; }

    [Parameter]
    [ValidateNotNull]
    public SecureString? CertificatePassword { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? AllowDestination { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? DenyDestination { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? HandshakeTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ClockWindow { get; set; }

    private protected override int Port => LocalPort;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        // every bad argument gets its own error, so all are read before giving up
        bool good = TryReadEach(Key, key => key.Resolve(), "InvalidKey", out List<ProxyKey> keys);
        good &= TryReadEach(PayloadKey, key => key.Resolve(), "InvalidKey", out List<ProxyKey> payloadKeys);
        good &= TryReadCredentials(out List<ProxyCredential> credentials);
        good &= TryReadEach(AllowDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> allowed);
        good &= TryReadEach(DenyDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> denied);
        good &= TryReadCertificate(out X509Certificate2? certificate);
        good &= TryReadChain(out ProxyChain chain);
        var defaults = new ProxyServerOptions();
        ProxyServerOptions options = new()
        {
            Protocols = Protocol?.Aggregate((all, next) => all | next),
            Keys = keys,
            PayloadKeys = payloadKeys,
            Credentials = credentials,
            AllowDestination = allowed,
            DenyDestination = denied,
            Certificate = certificate,
            Chain = chain,
            HandshakeTimeout = HandshakeTimeout ?? defaults.HandshakeTimeout,
            ClockWindow = ClockWindow ?? defaults.ClockWindow,
        };
        if (!TryComplete(options, out options) || !good) return;
        Start("Start proxy server", () => new ProxyServer(options), server => new ProxyServerJob(server));
    }

    private bool TryReadCertificate(out X509Certificate2? certificate)
    {
        certificate = null;
        return Certificate is null
            || TryRead(() => Certificate.Resolve(SessionState, CertificatePassword), "InvalidCertificate", Certificate.ToString(), out certificate);
    }
}
