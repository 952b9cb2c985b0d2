using System.Globalization;
using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Processes;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// An SSH server as a hop, through the ssh program: <c>ssh -W host:port</c>. Keys, agents, known hosts and per-host settings are those of the
/// user's ssh configuration; nothing is ever asked (BatchMode). <c>PROXYSHELL_SSH</c> names another program than <c>ssh</c>.
/// </summary>
internal static class SshHop
{
    /// <summary>Starts ssh and returns its standard input and output as a connection; <paramref name="via"/> leads to the server, or is null.</summary>
    public static async ValueTask<DuplexConnection> ConnectAsync(DuplexConnection? via, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken)
    {
        SshBridge? bridge = via is null ? null : SshBridge.Open(via);
        var log = new SshLog();
        ProcessConnection? ssh = null;
        try
        {
            // starting a program takes milliseconds, which no loop can spare
            ssh = await Task.Run(() => Start(hop, next, bridge?.EndPoint, log), cancellationToken).ConfigureAwait(false);
            log.WatchEnd(ssh);
            await log.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
            return bridge is null ? ssh : new BridgedConnection(ssh, bridge);
        }
        catch
        {
            ssh?.Abort();
            if (ssh is not null) await ssh.DisposeAsync().ConfigureAwait(false);
            if (bridge is not null) await bridge.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The arguments for ssh; with a bridge, the server is reached at that local address but keeps its name for known hosts and settings.</summary>
    internal static IEnumerable<string> Arguments(ProxyHop hop, HostEndpoint next, IPEndPoint? bridge)
    {
        HostEndpoint server = hop.Address.Endpoint!;
        List<string> arguments = ["-W", next.ToString(), "-o", "BatchMode=yes", "-o", "LogLevel=DEBUG2", "-o", "ExitOnForwardFailure=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"];
        int port = bridge?.Port ?? server.Port;
        // the usual port is left to the user's configuration for this host
        if (bridge is not null || port != 22) arguments.AddRange(["-p", port.ToString(CultureInfo.InvariantCulture)]);
        if (bridge is not null)
        {
            arguments.AddRange(["-o", $"HostName={bridge.Address}", "-o", "ProxyCommand=none", "-o", "ProxyJump=none", "-o", "CheckHostIP=no"]);
            arguments.AddRange(["-o", $"HostKeyAlias={(server.Port == 22 ? server.Host : $"[{server.Host}]:{server.Port}")}"]);
        }
        if (hop.Credential is { } credential) arguments.AddRange(["-l", credential.UserName]);
        // a host cannot begin with a dash after this
        arguments.AddRange(["--", server.Host]);
        return arguments;
    }

    private static ProcessConnection Start(ProxyHop hop, HostEndpoint next, IPEndPoint? bridge, SshLog log)
    {
        string program = Environment.GetEnvironmentVariable("PROXYSHELL_SSH") is { Length: > 0 } given ? given : "ssh";
        IEnumerable<string> arguments = Arguments(hop, next, bridge);
        // in a session of its own, so that Ctrl+C in a terminal does not end it
        const string SetSid = "/usr/bin/setsid";
        return OperatingSystem.IsLinux() && File.Exists(SetSid)
            ? ProcessConnection.Start(SetSid, [program, .. arguments], log.OnLine, log.ExplainEndAsync)
            : ProcessConnection.Start(program, arguments, log.OnLine, log.ExplainEndAsync);
    }
}
