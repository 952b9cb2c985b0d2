namespace ProxyShell.Engine.Configuration;

/// <summary>A fault in a configuration file; the message reads "file: JSON path: fault".</summary>
public sealed class ConfigurationException : FormatException
{
    /// <summary>Makes the error; the path is empty when the fault is not at one place.</summary>
    public ConfigurationException(string file, string path, string fault, Exception? inner = null)
        : base(path.Length > 0 ? $"{file}: {path}: {fault}" : $"{file}: {fault}", inner) =>
        (File, Path, Fault) = (file, path, fault);

    /// <summary>The file as the user named it.</summary>
    public string File { get; }

    /// <summary>Where in the file, such as <c>$.proxyServers[0].localPort</c>, or empty.</summary>
    public string Path { get; }

    /// <summary>What is wrong, in one sentence.</summary>
    public string Fault { get; }
}
