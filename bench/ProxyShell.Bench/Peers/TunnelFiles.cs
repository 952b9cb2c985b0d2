using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Bench.Peers;

/// <summary>The Host's configuration files of a gateway and its agents, with one key for all of them.</summary>
internal sealed class TunnelFiles
{
    private const string Domain = "localhost";
    private const int MaxTunnels = 1000;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly string _directory;
    private readonly string? _thumbprint;
    private readonly int _agentPort;

    internal TunnelFiles(string directory, int agentPort, bool encrypted)
    {
        _directory = Directory.CreateDirectory(Path.Combine(directory, $"tunnel-{agentPort}")).FullName;
        _agentPort = agentPort;
        TunnelIdentity.Create(KeyFile).Dispose();
        _thumbprint = encrypted ? MakeCertificate() : null;
    }

    private string KeyFile => Path.Combine(_directory, "agent.pem");

    private string CertificateFile => Path.Combine(_directory, "gate.pem");

    /// <summary>The name by which clients ask for a tunnel.</summary>
    internal static string HostOf(int tunnel) => $"{Label(tunnel)}.{Domain}";

    /// <summary>A gateway with a port for HTTP, or with one that a TCP tunnel may have.</summary>
    internal string Gateway(int? httpPort, int? tcpPort)
    {
        var gateway = new
        {
            name = "gate",
            localPort = _agentPort,
            httpPort,
            tcpPorts = tcpPort is { } port ? new[] { port } : null,
            certificate = _thumbprint is null ? null : CertificateFile,
            domain = Domain,
            maxTunnelsPerKey = MaxTunnels,
            maxNamesPerKey = MaxTunnels,
        };
        return Write("gateway", new { tunnelGateways = new[] { gateway } });
    }

    /// <summary>An agent process with these tunnels to a web server.</summary>
    internal string WebAgent(IEnumerable<int> tunnels, int servicePort, string name = "agent") => Write(name, new
    {
        tunnels = tunnels.Select(tunnel => new
        {
            name = Label(tunnel), gateway = GatewayUri, destination = $"http://127.0.0.1:{servicePort}", identityFile = KeyFile, hostName = Label(tunnel),
        }),
    });

    /// <summary>An agent process with one TCP tunnel.</summary>
    internal string StreamAgent(int servicePort, int publicPort)
    {
        var tunnel = new { name = "stream", gateway = GatewayUri, destination = $"tcp://127.0.0.1:{servicePort}", identityFile = KeyFile, remotePort = publicPort };
        return Write("agent", new { tunnels = new[] { tunnel } });
    }

    private string GatewayUri => _thumbprint is null ? $"tunnel://127.0.0.1:{_agentPort}" : $"tunnels://127.0.0.1:{_agentPort}?thumbprint={_thumbprint}";

    private static string Label(int tunnel) => $"tunnel{tunnel}";

    private string Write<T>(string name, T content)
    {
        string file = Path.Combine(_directory, name + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(content, Json));
        return file;
    }

    private string MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Domain}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        // the bench's directory is open to nobody else
        File.WriteAllText(CertificateFile, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
