using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// What a gateway makes of heads. The service gets the request as the client sent it, Host included unless another one is given, and is told
/// who asked, how and for what: Forwarded (RFC 7239) and X-Forwarded-For, -Host, -Proto. What the client says of that itself is left out,
/// unless it is trusted: then ours comes after it. Responses do not tell of the gateway (RFC 9110 §7.6.3 leaves it the choice).
/// </summary>
internal sealed class HttpPublishing : HttpRewriting
{
    // the four fields with the longest address, twice
    private const int MaxOwn = 512;

    /// <summary>The client's address; empty when it has none.</summary>
    public required string Client { get; init; }

    /// <summary>The scheme by which the gateway was asked.</summary>
    public required string Scheme { get; init; }

    /// <summary>Whether what the client says of those before it is believed.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>The Host that the service sees; null for the public one.</summary>
    public string? HostHeader { get; init; }

    /// <summary>Whether Authorization is left out, because it was for the gateway.</summary>
    public bool DropsAuthorization { get; init; }

    protected override bool KeepsUpstream => true;

    protected override bool TellsWay => false;

    // host names stand in three fields, and what the client said may be repeated
    public override int MaxLength(HttpRequestHead head) => base.MaxLength(head) + MaxOwn + (4 * head.Length) + (HostHeader?.Length ?? 0);

    protected override void AddHost(ref HttpHeadWriter writer, HttpRequestHead head)
    {
        if (HostHeader is not null) writer.Field("Host"u8, HostHeader);
        else writer.Field("Host"u8, head.Host);
    }

    protected override bool Drops(HttpFieldKind kind) => kind switch
    {
        HttpFieldKind.Forwarded or HttpFieldKind.ForwardedFor or HttpFieldKind.ForwardedHost or HttpFieldKind.ForwardedProto => true,
        HttpFieldKind.Authorization => DropsAuthorization,
        _ => false,
    };

    protected override void AddOwn(ref HttpHeadWriter writer, HttpRequestHead head)
    {
        AddList(ref writer, "X-Forwarded-For: "u8, head.Fields, HttpFieldKind.ForwardedFor, Client.Length > 0 ? Client : "unknown");
        AddFirst(ref writer, "X-Forwarded-Host"u8, head.Fields, HttpFieldKind.ForwardedHost, head.Host);
        AddFirst(ref writer, "X-Forwarded-Proto"u8, head.Fields, HttpFieldKind.ForwardedProto, Encoding.ASCII.GetBytes(Scheme));
        AddList(ref writer, "Forwarded: "u8, head.Fields, HttpFieldKind.Forwarded, Element(head.Host));
    }

    // RFC 7239 §4: addresses of version 6 and hosts with a port are no tokens, and so in quotes
    private string Element(ReadOnlySpan<byte> host)
    {
        string who = Client.Length == 0 ? "unknown" : Client.Contains(':', StringComparison.Ordinal) ? $"\"[{Client}]\"" : Client;
        string asked = Encoding.ASCII.GetString(host);
        if (!HttpChars.IsToken(host)) asked = $"\"{asked}\"";
        return host.IsEmpty ? $"for={who};proto={Scheme}" : $"for={who};host={asked};proto={Scheme}";
    }

    private void AddList(ref HttpHeadWriter writer, ReadOnlySpan<byte> name, HttpFields fields, HttpFieldKind kind, string own)
    {
        writer.Add(name);
        for (int i = IsTrusted ? fields.Find(kind) : -1; i >= 0; i = fields.Find(kind, i + 1))
        {
            writer.Add(fields.Value(i));
            writer.Add(", "u8);
        }
        writer.Add(own);
        writer.Add("\r\n"u8);
    }

    private void AddFirst(ref HttpHeadWriter writer, ReadOnlySpan<byte> name, HttpFields fields, HttpFieldKind kind, ReadOnlySpan<byte> own)
    {
        ReadOnlySpan<byte> told = IsTrusted ? fields.Only(kind) : default;
        if (!told.IsEmpty || !own.IsEmpty) writer.Field(name, told.IsEmpty ? own : told);
    }
}
