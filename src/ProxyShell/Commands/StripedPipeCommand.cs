using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Striping;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>New-StripedPipe: one end of a striped pipe as a job: the near one, to which clients connect, or with -Accept the far one.</summary>
[Cmdlet(VerbsCommon.New, "StripedPipe", SupportsShouldProcess = true, DefaultParameterSetName = NearEnd)]
[OutputType(typeof(StripedPipeJob))]
public sealed class NewStripedPipeCommand : StartListenerCommand, IStripedPipeSettings
{
    private const string NearEnd = "NearEnd";
    private const string FarEnd = "FarEnd";

    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = NearEnd)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(PeerCompleter))]
    public PeerArgument Peer { get; set; } = null!;

    [Parameter(Mandatory = true, ParameterSetName = FarEnd)]
    public SwitchParameter Accept { get; set; }

    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = FarEnd)]
    [ValidateNotNull]
    public EndpointArgument Destination { get; set; } = null!;

    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn(Means = 0)]
    [ValidateRange(0, 65535)]
    public int LocalPort { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = NearEnd)]
    [EmptyColumn]
    public int? StripeCount { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = NearEnd)]
    [EmptyColumn]
    public int? MaxStripeCount { get; set; }

    // what was lost on the way must not become direct connections or an open door

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [EachChain]
    public ChainArgument[]? Chain { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public KeyArgument? Key { get; set; }

    [Parameter]
    public StripedPipeFraming? Framing { get; set; }

    [Parameter]
    public PipeProtocol? Protocol { get; set; }

    [Parameter]
    public int? Window { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ReconnectTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StallTimeout { get; set; }

    [Parameter(ParameterSetName = NearEnd)]
    [ValidateNotNullOrEmpty]
    public string? PeerThumbprint { get; set; }

    [Parameter(ParameterSetName = NearEnd)]
    [ValidateNotNullOrEmpty]
    public string? PeerServerName { get; set; }

    [Parameter(ParameterSetName = NearEnd)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(CertificateCompleter))]
    public CertificateArgument? ClientCertificate { get; set; }

    [Parameter(ParameterSetName = NearEnd)]
    [ValidateNotNull]
    public SecureString? ClientCertificatePassword { get; set; }

    private protected override int Port => LocalPort;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        if (ParameterSetName == NearEnd) StartNearEnd();
        else StartFarEnd();
    }

    // every bad argument gets its own error, so all are read before giving up
    private void StartNearEnd()
    {
        bool good = TryRead(Peer.Resolve, "InvalidPeer", Peer.ToString(), out TransportAddress? peer);
        good &= TryRead(ReadTrust, "InvalidThumbprint", PeerThumbprint, out TlsTrust? trust);
        X509Certificate2? certificate = null;
        good &= ClientCertificate is null || TryRead(() => ClientCertificate.Resolve(SessionState, ClientCertificatePassword), "InvalidCertificate", ClientCertificate.ToString(), out certificate);
        var options = new StripedPipeEntryOptions { Peer = peer!, PeerTrust = trust ?? TlsTrust.System, PeerServerName = PeerServerName, ClientCertificate = certificate };
        good &= TryAgree(options, Peer.FarEnd?.Options, out StripedPipeEntryOptions agreed);
        if (TryApply(this, Placed(agreed), out StripedPipeEntryOptions all) && good) Start($"Start striped pipe to {peer}", () => new StripedPipeEntry(all), near => new StripedPipeJob(near));
    }

    private void StartFarEnd()
    {
        bool good = TryRead(Destination.Resolve, "InvalidDestination", Destination.ToString(), out HostEndpoint? destination);
        good &= TryAgree(new StripedPipeExitOptions { Destination = destination! }, null, out StripedPipeExitOptions agreed);
        if (TryApply(this, Placed(agreed), out StripedPipeExitOptions all) && good) Start($"Start far end of striped pipes to {destination}", () => new StripedPipeExit(all), far => new StripedPipeJob(far));
    }

    /// <summary>Puts in what both ends have to agree on; a far end that is given as a job tells what it goes by.</summary>
    private bool TryAgree<T>(T options, StripedPipeExitOptions? other, out T agreed)
        where T : StripedPipeOptions
    {
        ProxyKey? key = null;
        bool good = Key is null || TryRead(Key.Resolve, "InvalidKey", Key.ToString(), out key);
        StripedPipeOptions changed = options with
        {
            Key = key ?? other?.Key,
            Framing = Framing ?? other?.Framing ?? StripedPipeFraming.Stripe,
            Udp = Protocol is null ? other?.Udp ?? false : Protocol == PipeProtocol.Udp,
            Window = Window ?? options.Window,
        };
        agreed = (T)changed;
        return good;
    }

    private TlsTrust ReadTrust() =>
        PeerThumbprint is not null ? TlsTrust.Pinned(PeerThumbprint)
        : Peer.FarEnd?.CertificateThumbprint is { } thumbprint ? TlsTrust.Pinned(thumbprint)
        : TlsTrust.System;
}
