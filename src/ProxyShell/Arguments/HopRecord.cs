using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Arguments;

/// <summary>
/// A hop as a record, such as a row of a CSV file: a column Uri (or Hop), or the parts HostName, Port, Protocol, Tls and WebSocketPath;
/// and if need be Key, UserName and Password or Credential, Thumbprint, ServerName, Multiplexed, MaxSessions, MaxChannels, SessionIdleTimeout,
/// KeepAlive, Group and Weight. The columns are read here and not bound to
/// parameters by name: when binding fails PowerShell leaves the row out and goes on, and a chain would silently be shorter than the file.
/// </summary>
internal static partial class HopRecord
{
    private static readonly string[] UriColumns = ["Uri", "Hop"];

    public static bool IsRecord(object? value) => value is not null && PSObject.AsPSObject(value) is var record && (UriOf(record) ?? Text(record, "HostName")) is not null;

    /// <summary>The hop with what its columns say; empty columns say nothing.</summary>
    /// <exception cref="FormatException">No hop, or a value that is not valid.</exception>
    public static ProxyHop Read(PSObject record)
    {
        var key = new KeyArgument(record.Properties["Key"]?.Value!);
        var settings = new HopSettings(key.IsEmpty ? null : key, CredentialOf(record), Text(record, "Thumbprint"), Text(record, "ServerName"))
        {
            IsMultiplexed = Flag(record, "Multiplexed"),
            Sessions = SessionsOf(record),
        };
        return settings.ApplyTo(HopOf(record)) with { Weight = Weight(record) };
    }

    /// <summary>The column Group: records with the same one, in a row, are alternates.</summary>
    public static string? GroupOf(PSObject record) => Text(record, "Group");

    private static ProxyHop HopOf(PSObject record)
    {
        if (UriOf(record) is { } uri) return ProxyHop.Parse(uri);
        string host = Text(record, "HostName") ?? throw new FormatException(
            $"A record with the columns {string.Join(", ", record.Properties.Select(property => property.Name))} is not a hop: it needs a column Uri with a hop URI in it, or HostName and Port.");
        return new HopParts(host, Port(record), Protocol(record), Flag(record, "Tls"), Text(record, "WebSocketPath")).ToHop();
    }

    private static int? Port(PSObject record) => Text(record, "Port") is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65535 ? port
        : throw new FormatException($"The column Port holds '{text}', which is not a port (1 to 65535).");

    private static int Weight(PSObject record) => Text(record, "Weight") is not { } text ? 1
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int weight) && weight is > 0 and <= HopAlternate.MaxWeight ? weight
        : throw new FormatException($"The column Weight holds '{text}', which is not a weight (1 to {HopAlternate.MaxWeight}).");

    private static HopProtocol Protocol(PSObject record) => Text(record, "Protocol") is not { } text ? HopProtocol.Relay
        : Enum.TryParse(text, ignoreCase: true, out HopProtocol protocol) && Enum.IsDefined(protocol) ? protocol
        : throw new FormatException($"The column Protocol holds '{text}'; it must be one of {string.Join(", ", Enum.GetNames<HopProtocol>())}.");

    private static bool Flag(PSObject record, string column) => Text(record, column) is { } text
        && (text.ToLowerInvariant() switch
        {
            "true" or "yes" or "1" => true,
            "false" or "no" or "0" => false,
            _ => throw new FormatException($"The column {column} holds '{text}'; it must be true or false."),
        });

    private static CredentialArgument? CredentialOf(PSObject record)
    {
        if (Text(record, "Credential") is not null) return new CredentialArgument(record.Properties["Credential"].Value);
        if (Text(record, "UserName") is not { } user)
            return Text(record, "Password") is null ? null : throw new FormatException("The record has a Password and no UserName.");
        object? password = record.Properties["Password"]?.Value;
        return new CredentialArgument(password is SecureString secure ? new NetworkCredential(user, secure) : new NetworkCredential(user, password?.ToString()));
    }

    private static string? UriOf(PSObject record) => UriColumns.Select(name => Text(record, name)).FirstOrDefault(text => text is not null);

    private static string? Text(PSObject record, string column) =>
        record.Properties[column]?.Value?.ToString() is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
