using System.Net;

namespace ProxyShell.Engine.Security;

/// <summary>Which clients may connect, by address: deny comes first; when there is an allow list, the address must be on it.</summary>
internal sealed class SourcePolicy(IEnumerable<SourceNetwork> allow, IEnumerable<SourceNetwork> deny)
{
    private readonly SourceNetwork[] _allow = [.. allow];
    private readonly SourceNetwork[] _deny = [.. deny];

    /// <summary>Whether the client may connect. One without an address (a Unix socket) is ruled by the file's permissions instead.</summary>
    public bool Allows(EndPoint? client)
    {
        if (client is not IPEndPoint { Address: var address }) return true;
        if (Array.Exists(_deny, network => network.Contains(address))) return false;
        return _allow.Length == 0 || Array.Exists(_allow, network => network.Contains(address));
    }
}
