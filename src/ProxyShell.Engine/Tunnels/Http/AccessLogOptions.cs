namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>A file with a line for every request. When it has grown to its size, it is renamed to <c>name.1</c> (and <c>.1</c> to <c>.2</c>, and so on), and begun anew.</summary>
public sealed record AccessLogOptions
{
    /// <summary>The file; its folder must exist.</summary>
    public required string Path { get; init; }

    /// <summary>What a line looks like.</summary>
    public AccessLogFormat Format { get; init; }

    /// <summary>The size in bytes at which the file is begun anew, at least 1,000.</summary>
    public long MaxLength { get; init; } = 64 << 20;

    /// <summary>How many older files are kept, 0 for none.</summary>
    public int KeptFiles { get; init; } = 5;

    internal void Validate()
    {
        if (Path.Length == 0) throw new FormatException("The access log has no path.");
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)))) throw new FormatException($"The folder of the access log '{Path}' does not exist.");
        if (MaxLength < 1000) throw new FormatException($"MaxLength of the access log is '{MaxLength}'; it must be 1000 bytes or more.");
        if (KeptFiles is < 0 or > 1000) throw new FormatException($"KeptFiles of the access log is '{KeptFiles}'; it must be 0 to 1000.");
    }
}
