using System.Net;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// What a PROXY header tells: who connected to which address, at the first proxy on the way. When it tells nothing (<c>UNKNOWN</c>,
/// <c>LOCAL</c>), the connection's own addresses hold. An address that is told may still be null: that of a Unix socket without a name.
/// </summary>
internal sealed record ProxyHeader(bool TellsAddresses, EndPoint? Source, EndPoint? Destination)
{
    public static ProxyHeader Unknown { get; } = new(false, null, null);
}
