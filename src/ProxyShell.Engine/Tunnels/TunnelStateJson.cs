using System.Text.Json.Serialization;

namespace ProxyShell.Engine.Tunnels;

/// <summary>How the state file is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(TunnelState))]
internal sealed partial class TunnelStateJson : JsonSerializerContext;
