using System.Text.Json.Serialization;

namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>One message of the control channel; which members it has follows from its type.</summary>
internal sealed record ControlMessage
{
    /// <summary>One of <see cref="ControlMessageType"/>; others are passed over.</summary>
    public required string Type { get; init; }

    /// <summary>hello, challenge: the version of the protocol.</summary>
    public int? Version { get; init; }

    /// <summary>hello, challenge: the program that speaks, for people only.</summary>
    public string? Software { get; init; }

    /// <summary>challenge: 32 random bytes in base64url.</summary>
    public string? Nonce { get; init; }

    /// <summary>challenge: the gateway's domain.</summary>
    public string? Gateway { get; init; }

    /// <summary>challenge: whether a token is needed.</summary>
    public bool? Token { get; init; }

    /// <summary>register: the signed claims, as a JSON Web Signature in compact form.</summary>
    public string? Jws { get; init; }

    /// <summary>registered: the name that visitors find the tunnel by.</summary>
    public string? Name { get; init; }

    /// <summary>registered: its public address.</summary>
    public string? Url { get; init; }

    /// <summary>registered: the public port of a TCP or UDP tunnel.</summary>
    public int? Port { get; init; }

    /// <summary>ping, pong: a number that the answer repeats.</summary>
    public long? Id { get; init; }

    /// <summary>error, bye: why, in the names of <see cref="Diagnostics.ProxyErrorReason"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>error, drain, bye: why, in words.</summary>
    public string? Message { get; init; }

    /// <summary>error: whether trying again would change nothing.</summary>
    public bool? Fatal { get; init; }

    /// <summary>The type, for messages.</summary>
    [JsonIgnore]
    public string Shown => Type.Length <= 20 && Type.All(char.IsAsciiLetter) ? $"'{Type}'" : "an unknown message";
}
