using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The settings of a tunnel on the wire and back.</summary>
internal static class TunnelSettingsReader
{
    private const int MaxItems = 64;
    private const int MaxHostHeader = 255;
    private const double MaxRate = 1e9;

    public static TunnelRequest Write(TunnelSettings settings, TunnelRequest request) => request with
    {
        HostHeader = settings.HostHeader,
        MaxRequestBody = settings.MaxRequestBody,
        RequestRate = settings.RequestRate,
        ClientRequestRate = settings.ClientRequestRate,
        MaxConnections = settings.MaxConnections,
        AllowSource = settings.AllowSource.Count == 0 ? null : [.. settings.AllowSource.Select(source => source.ToString())],
        Users = settings.Credentials.Count == 0 ? null : [.. settings.Credentials.Select(user => new TunnelUser { Name = user.UserName, Password = user.Password })],
        OneClientPerChannel = settings.OneClientPerChannel,
    };

    /// <summary>Reads what an agent asks for.</summary>
    /// <exception cref="ProxyException">A value is out of its range; the message names it.</exception>
    public static TunnelSettings Read(TunnelRequest request, int maxConnections)
    {
        Require(request.MaxRequestBody >= 0, "maxRequestBody");
        Require(request.RequestRate is >= 0 and <= MaxRate, "requestRate");
        Require(request.ClientRequestRate is >= 0 and <= MaxRate, "clientRequestRate");
        Require(request.MaxConnections >= 0, "maxConnections");
        Require(request.HostHeader is null || (request.HostHeader.Length is > 0 and <= MaxHostHeader && request.HostHeader.All(c => c is > ' ' and < '\x7F')), "hostHeader");
        Require((request.AllowSource?.Count ?? 0) <= MaxItems, "allowSource");
        Require((request.Users?.Count ?? 0) <= MaxItems, "users");
        try
        {
            return new TunnelSettings
            {
                HostHeader = request.HostHeader,
                MaxRequestBody = request.MaxRequestBody,
                RequestRate = request.RequestRate,
                ClientRequestRate = request.ClientRequestRate,
                MaxConnections = request.MaxConnections == 0 ? maxConnections : Math.Min(request.MaxConnections, maxConnections),
                AllowSource = [.. (request.AllowSource ?? []).Select(text => SourceNetwork.Parse(text ?? ""))],
                Credentials = [.. (request.Users ?? []).Select(user => new ProxyCredential(user?.Name ?? "", user?.Password ?? ""))],
                OneClientPerChannel = request.OneClientPerChannel,
            };
        }
        catch (FormatException e)
        {
            throw Refusals.Of(ProxyErrorReason.ProtocolError, e.Message, e);
        }
    }

    private static void Require(bool holds, string member)
    {
        if (!holds) throw Refusals.Of(ProxyErrorReason.ProtocolError, string.Create(CultureInfo.InvariantCulture, $"what the tunnel asks for as {member} is out of its range"));
    }
}
