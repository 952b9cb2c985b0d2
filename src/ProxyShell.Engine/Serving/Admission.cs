using System.Net;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Serving;

/// <summary>Who may connect by address, and how often at a time. Asked before any byte is read.</summary>
internal sealed class Admission(ServiceOptions options, ClientTable clients)
{
    private readonly SourcePolicy _sources = new(options.AllowSource, options.DenySource);

    /// <summary>Lets a connection of this client in, to be ended with <see cref="ClientShare.Leave"/>; or says why not.</summary>
    public ClientShare? TryEnter(EndPoint? client, out Refusal refusal)
    {
        refusal = Refusal.Source;
        if (!_sources.Allows(client)) return null;
        refusal = Refusal.TooManyOfClient;
        return clients.TryEnter(client, options.MaxConnectionsPerClient);
    }
}
