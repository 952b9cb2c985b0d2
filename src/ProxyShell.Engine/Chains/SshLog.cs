using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Processes;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Reads what ssh says on standard error at LogLevel=DEBUG2: whether the channel of <c>-W</c> opened, how it ended, and what it complained of.
/// The server's answer to the opening of a channel is RFC 4254 §5.1.
/// </summary>
internal sealed class SshLog
{
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string _complaint = "";

    /// <summary>Completes when the channel is open; fails with what ssh or the server said.</summary>
    public Task Opened => _opened.Task;

    public void OnLine(string line)
    {
        bool isDebug = line.StartsWith("debug", StringComparison.Ordinal);
        if (!isDebug && line.Contains(": open failed: ", StringComparison.Ordinal)) _opened.TrySetException(Refusal(line));
        else if (!isDebug) Note(line);
        else if (line.Contains(": open confirm ", StringComparison.Ordinal)) _opened.TrySetResult();
        else if (line.Contains(": rcvd eof", StringComparison.Ordinal) || line.Contains(": rcvd close", StringComparison.Ordinal)) _ended.TrySetResult(null);
    }

    /// <summary>Why the output ended: null when the other side ended it, else what broke.</summary>
    public async Task<string?> ExplainEndAsync()
    {
        await Task.WhenAny(_ended.Task, Task.Delay(EndTime)).ConfigureAwait(false);
        return _ended.Task.IsCompleted ? await _ended.Task.ConfigureAwait(false) : "ssh ended its output without the end of the channel";
    }

    /// <summary>Takes the end of the program for the end of everything that still waits.</summary>
    public void WatchEnd(ProcessConnection ssh) => _ = WatchEndAsync(ssh);

    // ends with the program, which its owner ends
    private async Task WatchEndAsync(ProcessConnection ssh)
    {
        await ssh.ErrorsRead.ConfigureAwait(false);
        string complaint = _complaint.Length > 0 ? _complaint : "ssh ended";
        _opened.TrySetException(new ProxyException(Reason(complaint), ProxyStage.Request, null, complaint));
        _ended.TrySetResult(complaint);
        // nobody may be waiting any more
        _ = _opened.Task.Exception;
    }

    // "channel 0: open failed: connect failed: Connection refused"; the words after the reason are the server's
    private static ProxyException Refusal(string line)
    {
        string text = line[(line.IndexOf(": open failed: ", StringComparison.Ordinal) + 15)..].Trim();
        if (text.StartsWith("administratively prohibited", StringComparison.Ordinal))
            return new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, null, "the SSH server forbids the destination (PermitOpen, AllowTcpForwarding)");
        ProxyErrorReason reason = Reason(text);
        return new ProxyException(reason, ProxyStage.Dial, null, reason == ProxyErrorReason.Other ? text : null);
    }

    private void Note(string line)
    {
        line = line.Trim();
        // ssh says the particular first and the general last ("stdio forwarding failed", "kex_exchange_identification: …")
        bool isGeneral = line.Length == 0 || line.StartsWith("stdio forwarding failed", StringComparison.Ordinal) || line.StartsWith("OpenSSH_", StringComparison.Ordinal)
            || line.StartsWith("Warning: Permanently added", StringComparison.Ordinal) || line[0] == '@';
        if (!isGeneral) _complaint = string.Concat(line.Take(200).Select(c => char.IsControl(c) ? '?' : c));
    }

    private static ProxyErrorReason Reason(string text)
    {
        ReadOnlySpan<(string Words, ProxyErrorReason Reason)> known =
        [
            ("Permission denied", ProxyErrorReason.AuthenticationFailed), ("Too many authentication failures", ProxyErrorReason.AuthenticationFailed),
            ("Host key verification failed", ProxyErrorReason.AuthenticationFailed), ("Connection refused", ProxyErrorReason.ConnectionRefused),
            ("No route to host", ProxyErrorReason.HostUnreachable), ("Network is unreachable", ProxyErrorReason.NetworkUnreachable),
            ("not known", ProxyErrorReason.NameNotFound), ("Could not resolve", ProxyErrorReason.NameNotFound), ("name resolution", ProxyErrorReason.NameNotFound),
            ("timed out", ProxyErrorReason.TimedOut), ("reset by peer", ProxyErrorReason.ConnectionReset), ("closed by", ProxyErrorReason.ConnectionClosed),
        ];
        foreach ((string words, ProxyErrorReason reason) in known)
        {
            if (text.Contains(words, StringComparison.OrdinalIgnoreCase)) return reason;
        }
        return ProxyErrorReason.Other;
    }
}
