using System.Globalization;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Chains;

/// <summary>How hops and destinations are named in messages.</summary>
internal static class HopNaming
{
    /// <summary><c>hop 2 (127.0.0.1:4102)</c>; numbers start at 1.</summary>
    public static string Hop(int number, ProxyHop hop) => string.Create(CultureInfo.InvariantCulture, $"hop {number} ({hop.Endpoint})");

    public static string Destination(TransportAddress destination) => $"destination {destination}";

    /// <summary>Hops in a row: <c>relay://a:1 > relay://b:2</c>.</summary>
    public static string Hops(IEnumerable<ProxyHop> hops) => string.Join(" > ", hops.Select(hop => hop.Uri));
}
