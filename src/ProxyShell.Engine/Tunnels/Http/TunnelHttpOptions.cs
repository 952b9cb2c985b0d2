using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// How a gateway serves HTTP to the public. Limits hold for every tunnel; where an agent asks for a limit of its own, the stricter one counts.
/// </summary>
public sealed record TunnelHttpOptions
{
    /// <summary>How long a service may take to answer a request that it has, or to take a piece of it, before the client gets 504.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long a client's connection is kept between two requests.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>For how long a connection to a service is kept between two requests.</summary>
    public TimeSpan ServiceKeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The most connections to the service of one agent that are kept between two requests, 0 to keep none.</summary>
    public int MaxIdleConnections { get; init; } = 64;

    /// <summary>The most bytes that the body of a request may have, 0 for no limit; 413 beyond.</summary>
    public long MaxRequestBody { get; init; }

    /// <summary>Requests per second that each tunnel may get, 0 for no limit; 429 beyond.</summary>
    public double RequestRate { get; init; }

    /// <summary>Requests per second that each client address (of IPv6 a /64) may send, 0 for no limit; 429 beyond.</summary>
    public double ClientRequestRate { get; init; }

    /// <summary>How many requests may come at once before the rates count; 0 for as many as the rate allows in one second, at least 1.</summary>
    public int RequestBurst { get; init; }

    /// <summary>Users (Basic authentication) of the tunnels that name none of their own.</summary>
    public IReadOnlyList<ProxyCredential> Credentials { get; init; } = [];

    /// <summary>
    /// Proxies in front of the gateway: what these say in Forwarded and X-Forwarded-For, -Host, -Proto is passed on, with our word after
    /// theirs. What anybody else says there is replaced by ours.
    /// </summary>
    public IReadOnlyList<SourceNetwork> TrustedProxies { get; init; } = [];

    /// <summary>A file with a line for every request; null for none.</summary>
    public AccessLogOptions? AccessLog { get; init; }

    internal IEnumerable<OptionValue> Values =>
    [
        OptionValue.Of(Named(nameof(AnswerTimeout)), AnswerTimeout),
        OptionValue.Of(Named(nameof(KeepAliveTimeout)), KeepAliveTimeout),
        OptionValue.Of(Named(nameof(ServiceKeepAliveTimeout)), ServiceKeepAliveTimeout),
        OptionValue.Of(Named(nameof(MaxIdleConnections)), MaxIdleConnections),
        OptionValue.Of(Named(nameof(MaxRequestBody)), MaxRequestBody),
        OptionValue.Of(Named(nameof(RequestRate)), RequestRate),
        OptionValue.Of(Named(nameof(ClientRequestRate)), ClientRequestRate),
        OptionValue.Of(Named(nameof(RequestBurst)), RequestBurst),
        OptionValue.Secret(Named(nameof(Credentials)), Credentials),
        OptionValue.List(Named(nameof(TrustedProxies)), TrustedProxies),
        OptionValue.Of(Named(nameof(AccessLog)), AccessLog),
    ];

    internal void Validate()
    {
        RequireTime(AnswerTimeout, nameof(AnswerTimeout));
        RequireTime(KeepAliveTimeout, nameof(KeepAliveTimeout));
        RequireTime(ServiceKeepAliveTimeout, nameof(ServiceKeepAliveTimeout));
        Require(MaxIdleConnections is >= 0 and <= 100_000, nameof(MaxIdleConnections), MaxIdleConnections, "0 to 100000");
        Require(MaxRequestBody >= 0, nameof(MaxRequestBody), MaxRequestBody, "0 (no limit) or more bytes");
        RequireRate(RequestRate, nameof(RequestRate));
        RequireRate(ClientRequestRate, nameof(ClientRequestRate));
        Require(RequestBurst is >= 0 and <= 1_000_000, nameof(RequestBurst), RequestBurst, "0 (one second's worth) to 1000000");
        AccessLog?.Validate();
    }

    private static string Named(string option) => $"{nameof(TunnelGatewayOptions.Http)}.{option}";

    private static void RequireRate(double value, string option) =>
        Require(value is 0 or (>= 0.001 and <= 1_000_000), option, value, "0 (no limit) or 0.001 to 1000000 requests per second");

    private static void RequireTime(TimeSpan value, string option) =>
        Require(value > TimeSpan.Zero && value <= TimeSpan.FromDays(1), option, value, "more than 0 and at most 1 day");

    private static void Require(bool holds, string option, object value, string range)
    {
        if (!holds) throw new FormatException($"{option} is '{value}'; it must be {range}.");
    }
}
