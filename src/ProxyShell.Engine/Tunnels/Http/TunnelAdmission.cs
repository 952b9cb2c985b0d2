using System.Net;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>Whether a request may go to a tunnel: by its client's address, how often, as whom, and with how large a body.</summary>
internal sealed class TunnelAdmission(TunnelHttpContext context)
{
    /// <summary>Why a request is turned away; null when it is not. Asked once for each request, since it counts.</summary>
    public HttpRefusal? Check(ServedConnection served, HttpRequestHead request, TunnelGrant grant, RequestNotes notes)
    {
        TunnelSettings settings = grant.Settings;
        EndPoint? client = served.Addresses.Source;
        if (!Allows(settings, client)) return TunnelRefusals.Source(notes.Host);
        if (CheckRates(client, grant) is { } tooMany) return tooMany;
        if (CheckUser(request, settings, notes) is { } stranger) return stranger;
        long limit = MaxBody(settings);
        return request.Body.Kind == HttpBodyKind.Length && request.Body.Length > limit ? TunnelRefusals.TooLarge(limit) : null;
    }

    /// <summary>The most bytes that a body may have.</summary>
    public long MaxBody(TunnelSettings settings) => Math.Min(Limit(context.Http.MaxRequestBody), Limit(settings.MaxRequestBody));

    /// <summary>Whether the gateway asks who its clients are: then what they say to that is for the gateway alone.</summary>
    public bool AsksForUser(TunnelSettings settings) => Users(settings).Count > 0;

    /// <summary>Whether clients from this address may use a tunnel.</summary>
    public static bool Allows(TunnelSettings settings, EndPoint? client) =>
        settings.AllowSource.Count == 0 || client is not IPEndPoint { Address: var address } || settings.AllowSource.Any(network => network.Contains(address));

    private static long Limit(long limit) => limit > 0 ? limit : long.MaxValue;

    private IReadOnlyList<ProxyCredential> Users(TunnelSettings settings) => settings.Credentials.Count > 0 ? settings.Credentials : context.Http.Credentials;

    private HttpRefusal? CheckUser(HttpRequestHead request, TunnelSettings settings, RequestNotes notes)
    {
        IReadOnlyList<ProxyCredential> users = Users(settings);
        if (users.Count == 0) return null;
        bool isGiven = request.Fields.Find(HttpFieldKind.Authorization) >= 0;
        // all are looked at, so that the time tells nothing
        if (isGiven && HttpBasic.TryRead(request.Fields.Only(HttpFieldKind.Authorization), out string name, out string password)
            && users.Aggregate(false, (found, user) => found | user.Matches(name, password)))
        {
            notes.User = HttpText.Printable(name);
            return null;
        }
        return TunnelRefusals.Credentials(isGiven);
    }

    // the client's limits first: who floods must not use up what others share
    private HttpRefusal? CheckRates(EndPoint? client, TunnelGrant grant)
    {
        TunnelSettings settings = grant.Settings;
        if (ClientKey.Of(client) is { } key)
        {
            if (Wait(context.Shared.ClientRates, key, context.Http.ClientRequestRate) is { } wait) return TunnelRefusals.TooMany($"the client {key}", wait);
            if (Wait(context.Shared.TunnelClientRates, (grant.Name, key), settings.ClientRequestRate) is { } own) return TunnelRefusals.TooMany($"the client {key}", own);
        }
        double rate = Stricter(context.Http.RequestRate, settings.RequestRate);
        return Wait(context.Shared.TunnelRates, grant.Name, rate) is { } shared ? TunnelRefusals.TooMany(grant.Name, shared) : null;
    }

    private static double Stricter(double first, double second) => first == 0 ? second : second == 0 ? first : Math.Min(first, second);

    private TimeSpan? Wait<TKey>(RequestRates<TKey> rates, TKey key, double rate)
        where TKey : notnull
    {
        if (rate <= 0) return null;
        int burst = context.Http.RequestBurst > 0 ? context.Http.RequestBurst : (int)Math.Max(1, Math.Min(rate, 1_000_000));
        return rates.TryCount(key, rate, burst);
    }
}
