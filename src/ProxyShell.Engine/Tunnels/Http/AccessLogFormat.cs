namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>What a line of an access log looks like.</summary>
public enum AccessLogFormat
{
    /// <summary>A JSON object for each request, with all that is known of it.</summary>
    Json,

    /// <summary>The combined format of web servers, which their tools read.</summary>
    Combined,
}
