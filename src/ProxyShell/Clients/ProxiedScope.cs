using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Net;

namespace ProxyShell.Clients;

/// <summary>
/// While it is open, the programs, web cmdlets and HTTP clients of this process are led into one port. Environment variables belong to
/// the whole process, so only one runspace at a time may have scopes open; within it they nest.
/// </summary>
internal sealed class ProxiedScope : IDisposable
{
    private static readonly Lock Gate = new();
    private static Guid _owner;
    private static int _depth;

    private readonly ProxyVariables _variables;
    private readonly WebCmdletDefaults _defaults;
    private readonly IWebProxy _before;

    private ProxiedScope(SessionState session) =>
        (_variables, _defaults, _before) = (new ProxyVariables(), new WebCmdletDefaults(session), HttpClient.DefaultProxy);

    /// <summary>Opens a scope; null when another runspace has one open.</summary>
    /// <param name="session">The session state whose commands are to use the proxy.</param>
    public static ProxiedScope? TryOpen(SessionState session)
    {
        Guid runspace = Runspace.DefaultRunspace.InstanceId;
        lock (Gate)
        {
            if (_depth > 0 && _owner != runspace) return null;
            var scope = new ProxiedScope(session);
            (_owner, _depth) = (runspace, _depth + 1);
            return scope;
        }
    }

    /// <summary>Leads everything into a port of 127.0.0.1 that serves HTTP and SOCKS5.</summary>
    public void LeadTo(int port, PSCredential? credential)
    {
        NetworkCredential? login = credential?.GetNetworkCredential();
        ProxyVariables.Set(login is null ? "" : $"{login.UserName}:{login.Password}@", port);
        var proxy = new Uri($"http://127.0.0.1:{port}");
        _defaults.Set(proxy, credential);
        HttpClient.DefaultProxy = new WebProxy(proxy) { Credentials = login };
    }

    /// <summary>Sets everything as it was before.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            _variables.Restore();
            _defaults.Restore();
            HttpClient.DefaultProxy = _before;
            _depth--;
        }
    }
}
