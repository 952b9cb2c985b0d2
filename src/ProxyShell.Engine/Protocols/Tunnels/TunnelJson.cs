using System.Text.Json;
using System.Text.Json.Serialization;

namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>How the messages of tunnels are written: unknown members are passed over, a member that comes twice is an error.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ControlMessage))]
[JsonSerializable(typeof(RegistrationClaims))]
[JsonSerializable(typeof(TunnelRequest))]
[JsonSerializable(typeof(SignatureHeader))]
[JsonSerializable(typeof(VisitorHeader))]
internal sealed partial class TunnelJson : JsonSerializerContext
{
    /// <summary>Reads a value; null and the fault when the bytes are not one.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, out string fault)
        where T : class
    {
        try
        {
            fault = "it is null";
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException e)
        {
            fault = e.Message;
            return null;
        }
    }
}
