using System.Net;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Security;

/// <summary>Someone besides a <see cref="DestinationPolicy"/> who has a say in the addresses that are connected to.</summary>
internal interface IAddressVeto
{
    /// <summary>Why the destination may not be connected to at this address, in words for people; null when it may.</summary>
    string? Objection(HostEndpoint destination, IPAddress address);
}
