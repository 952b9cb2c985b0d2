using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>What is noted of a request on its way, for the record that is written at its end.</summary>
internal sealed class RequestNotes(ServedConnection served, HttpRequestHead request, TimeProvider time)
{
    private const int MaxText = 2048;

    private readonly DateTimeOffset _time = time.GetUtcNow();
    private readonly long _began = time.GetTimestamp();
    private readonly (long Sent, long Received) _before = (served.Record.BytesSent, served.Record.BytesReceived);
    private long _firstByte;
    private long _sent;
    private long _received;
    private int _status;

    /// <summary>The client's address, as <see cref="ClientOf"/> says it.</summary>
    public required string Client { get; init; }

    /// <summary>The host that is asked for, without port.</summary>
    public required string Host { get; init; }

    /// <summary>The user that the client has proved to be.</summary>
    public string User { get; set; } = "";

    /// <summary>The tunnel, once it is found.</summary>
    public string Tunnel { get; set; } = "";

    /// <summary>Why there is no response of the service, or no whole one.</summary>
    public string Reason { get; set; } = "";

    /// <summary>The gateway answers itself.</summary>
    public HttpRefusal Refuse(HttpRefusal refusal)
    {
        (_status, Reason) = (refusal.Status, refusal.Token ?? "");
        return refusal;
    }

    /// <summary>An exchange with the service has ended.</summary>
    public void Note(HttpExchange exchange)
    {
        (_sent, _received) = (exchange.RequestData, exchange.ResponseData);
        if (exchange.Status == 0) return;
        (_status, _firstByte) = (exchange.Status, exchange.FirstByte);
        if (_status == 101) (_sent, _received) = (served.Record.BytesSent - _before.Sent, served.Record.BytesReceived - _before.Received);
    }

    public HttpRequestRecord ToRecord(string scheme) => new()
    {
        Time = _time,
        Client = Client,
        User = User,
        Scheme = scheme,
        Method = HttpText.Printable(request.Method, 40),
        Host = HttpText.Printable(request.Host, 300),
        Path = request.Form == HttpTargetForm.Asterisk ? "*" : HttpText.Printable(request.Path, MaxText),
        Version = request.Minor == 1 ? "1.1" : "1.0",
        Status = _status,
        BytesSent = _sent,
        BytesReceived = _received,
        TimeToFirstByte = _firstByte == 0 ? null : time.GetElapsedTime(_began, _firstByte),
        Duration = time.GetElapsedTime(_began),
        Tunnel = Tunnel,
        Reason = Reason,
        Referer = HttpText.Printable(request.Fields.Only(HttpFieldKind.Referer), MaxText),
        UserAgent = HttpText.Printable(request.Fields.Only(HttpFieldKind.UserAgent), MaxText),
    };

    /// <summary>The address of a client, without port; empty when it has none.</summary>
    public static string ClientOf(ServedConnection served) => served.Addresses.Source is IPEndPoint { Address: var address }
        ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString()
        : "";
}
