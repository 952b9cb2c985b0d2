using System.Diagnostics;

namespace ProxyShell.Bench.Peers;

/// <summary>OpenSSH's <c>ssh -L</c>, or its <c>ssh -R</c>, with a server of its own on loopback: own keys, own configuration, nothing of the user's.</summary>
internal sealed class OpenSshPeer(bool reverse = false) : IRelayPeer
{
    private const string PrivilegeDirectory = "/run/sshd";

    public string Id => "openssh";

    public string Name => $"OpenSSH {Option}";

    public RelayService Service => RelayService.Session;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    private string Option => reverse ? "-R" : "-L";

    public string? FindVersion() =>
        InstalledProgram.Find("sshd") is null || InstalledProgram.Find("ssh-keygen") is null ? null : InstalledProgram.FindLine("ssh", "-V", "OpenSSH");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string directory = Path.Combine(plan.Directory, $"{Id}-{plan.Port}");
        Directory.CreateDirectory(directory);
        MakeKey(Path.Combine(directory, "host"));
        MakeKey(Path.Combine(directory, "user"));
        File.WriteAllText(Path.Combine(directory, "sshd_config"), ServerConfiguration(directory, plan));
        File.WriteAllText(Path.Combine(directory, "config"), ClientConfiguration(directory));
        if (Environment.IsPrivilegedProcess)
            Directory.CreateDirectory(PrivilegeDirectory); // sshd insists on it
        string host = File.ReadAllText(Path.Combine(directory, "host.pub"));
        File.WriteAllText(Path.Combine(directory, "known"), $"[127.0.0.1]:{plan.DialledPort} {host}");
        IEnumerable<string> forwards = plan.Forwards.SelectMany(forward => new[] { Option, $"127.0.0.1:{forward.Port}:127.0.0.1:{forward.DestinationPort}" });
        return TwoEnds.Join(
            new ProcessCommand(InstalledProgram.Find("sshd")!, ["-D", "-e", "-f", Path.Combine(directory, "sshd_config")]),
            new ProcessCommand(InstalledProgram.Find("ssh")!, ["-F", Path.Combine(directory, "config"), "-N", "-p", $"{plan.DialledPort}", .. forwards, "127.0.0.1"]));
    }

    private static void MakeKey(string file)
    {
        using Process made = Process.Start(new ProcessCommand(InstalledProgram.Find("ssh-keygen")!, ["-q", "-t", "ed25519", "-N", string.Empty, "-f", file]).ToStartInfo())!;
        made.WaitForExit();
    }

    private static string ServerConfiguration(string directory, RelayPlan plan) => $"""
        ListenAddress 127.0.0.1:{plan.CarrierPort}
        HostKey {directory}/host
        AuthorizedKeysFile {directory}/user.pub
        StrictModes no
        UsePAM no
        PidFile none
        PermitRootLogin prohibit-password
        PasswordAuthentication no

        """;

    private static string ClientConfiguration(string directory) => $"""
        Host *
            IdentityFile {directory}/user
            IdentitiesOnly yes
            UserKnownHostsFile {directory}/known
            StrictHostKeyChecking yes
            ExitOnForwardFailure yes
            BatchMode yes
            LogLevel ERROR

        """;
}
