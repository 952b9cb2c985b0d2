using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Errors;
using ProxyShell.Identities;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Register-Tunnel: publishes a service at a gateway, as a job. What is asked of the gateway besides is in the other part.</summary>
[Cmdlet(VerbsLifecycle.Register, "Tunnel", SupportsShouldProcess = true)]
[OutputType(typeof(TunnelJob))]
public sealed partial class RegisterTunnelCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(GatewayUriCompleter))]
    public GatewayArgument Gateway { get; set; } = null!;

    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TunnelDestinationCompleter))]
    public string Destination { get; set; } = "";

    [Parameter(Position = 2, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public string? HostName { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public string? SessionName { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn(Means = 0)]
    [ValidateRange(0, 65535)]
    public int RemotePort { get; set; }

    // what was lost on the way must not become another identity, a missing secret or a direct connection

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? IdentityFile { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public TokenArgument? Token { get; set; }

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument? Chain { get; set; }

    [Parameter]
    public SwitchParameter KeepTrying { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string Name { get; set; } = "";

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Thumbprint { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ServerName { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        bool good = TryRead(ReadGateway, "InvalidGateway", Gateway.ToString(), out GatewayAddress? gateway);
        good &= TryRead(() => TunnelDestination.Parse(Destination), "InvalidDestination", Destination, out TunnelDestination? destination);
        good &= TryRead(() => Chain?.Resolve() ?? ProxyChain.Direct, "InvalidChain", Chain?.Target, out ProxyChain? chain);
        TunnelToken? token = null;
        good &= Token is null || TryRead(Token.Resolve, "InvalidToken", Token.ToString(), out token);
        good &= TryReadSettings(out TunnelSettings settings);
        good &= TryRead(ReadDestinationTrust, "InvalidThumbprint", DestinationThumbprint, out TlsTrust? trust);
        if (!good || !ShouldProcess($"{Destination} at {gateway}", "Register tunnel")) return;
        if (!TryRead(OpenIdentity, "InvalidIdentity", IdentityFile, out TunnelIdentity? identity)) return;
        Register(WithTimes(new TunnelAgentOptions
        {
            Gateway = gateway!,
            Destination = destination!,
            Identity = identity,
            Chain = chain!,
            Token = token,
            Settings = settings,
            DestinationTrust = trust!,
            DestinationServerName = DestinationServerName,
            SendProxyProtocol = SendProxyProtocol,
            Name = Name,
            HostName = NullIfEmpty(HostName),
            SessionName = NullIfEmpty(SessionName),
            RemotePort = RemotePort,
            EventCapacity = EventCapacity,
        }));
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private GatewayAddress ReadGateway()
    {
        GatewayAddress address = Gateway.Resolve();
        if ((Thumbprint ?? ServerName) is not null && !address.UsesTls) throw new FormatException($"-Thumbprint and -ServerName are for gateways with TLS, and '{address}' is none: use tunnels:// or wss://.");
        return address with
        {
            Trust = Thumbprint is null ? address.Trust : TlsTrust.Pinned(Thumbprint),
            ServerName = ServerName ?? address.ServerName,
        };
    }

    private TunnelIdentity OpenIdentity()
    {
        if (IdentityFile is not null) return TunnelIdentity.Load(SessionState.Path.GetUnresolvedProviderPathFromPSPath(IdentityFile));
        (TunnelIdentity identity, string path, bool isNew) = UserIdentity.Open();
        WriteVerbose(isNew ? $"A new key was made in {path}: its names belong to who has this file." : $"The key is that in {path}.");
        return identity;
    }

    // who asks for a public name wants to know it: there is no job without one, unless it may come later
    private void Register(TunnelAgentOptions options)
    {
        try
        {
            TunnelJob job = RunJob(() => new TunnelAgent(options), agent => agent.Registrations > 0 || KeepTrying ? new TunnelJob(agent, options.Identity) : throw Failure(agent));
            if (job.Registrations == 0) WriteWarning($"'{job.Name}' is not registered yet: {job.StatusMessage}");
            WriteObject(job);
        }
        catch (ProxyException e)
        {
            options.Identity.Dispose();
            ThrowTerminatingError(ProblemRecord.OfRegistration(e, Gateway.ToString()));
        }
        catch (FormatException e)
        {
            options.Identity.Dispose();
            WriteError(ProblemRecord.From(OptionWords.AsParameters(e), "InvalidOption", Gateway.ToString()));
        }
    }

    private static ProxyException Failure(TunnelAgent agent) =>
        agent.LastError ?? new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Request, $"gateway {agent.Options.Gateway}", "has left");
}
