using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Inbound;

/// <summary>Which relay requests a server accepts: sealed with one of its keys if it has any, in time, for the first time, with a payload key that it knows.</summary>
internal sealed class RelayGate(RelayInboundOptions options)
{
    /// <summary>Reads a whole header and checks it; a request that is not accepted is left out of the reading.</summary>
    public RelayRequestReading Read(ReadOnlySpan<byte> header)
    {
        RelayRequestReading reading = RelayRequestCodec.Read(header, options.Keys);
        if (reading.Request is not { } request) return reading;
        bool hasPayloadKey = request.PayloadKeyId.Length > 0;
        // without a key a nonce and a time prove nothing
        ProxyErrorReason reason = ProxyErrorReason.None;
        TimeSpan difference = default;
        if (reading.Key is not null || hasPayloadKey) reason = options.Replays.Check(reading.Nonce, request.Timestamp, out difference);
        if (reason != ProxyErrorReason.None) return Refuse(reading, reason, reason == ProxyErrorReason.ClockSkew ? Skew(difference) : ProxyErrorText.Describe(reason));
        return hasPayloadKey && PayloadKeyOf(request) is null ? Refuse(reading, ProxyErrorReason.AuthenticationFailed, "wrong payload key") : reading;
    }

    /// <summary>The key that seals the payload; null when it is not sealed.</summary>
    public ProxyKey? PayloadKeyOf(RelayRequest request) =>
        options.PayloadKeys.Concat(options.Keys).FirstOrDefault(key => key.Id == request.PayloadKeyId);

    private static RelayRequestReading Refuse(RelayRequestReading reading, ProxyErrorReason reason, string message) =>
        reading with { Request = null, Reason = reason, Message = message };

    private string Skew(TimeSpan difference) => string.Create(
        CultureInfo.InvariantCulture,
        $"the client's clock is {Math.Abs(difference.TotalSeconds):0.0} s {(difference < TimeSpan.Zero ? "behind" : "ahead")}; at most {options.Replays.Window.TotalSeconds:0.###} s are accepted");
}
