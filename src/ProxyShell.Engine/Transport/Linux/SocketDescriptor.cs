using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Owns one socket descriptor: it is closed only when no system call is using it, so its number is never reused too early.</summary>
internal sealed class SocketDescriptor : SafeHandle
{
    public SocketDescriptor(int fd)
        : base(-1, ownsHandle: true) => SetHandle(fd);

    public override bool IsInvalid => handle == -1;

    /// <summary>The bare number, for calls made while a reference is held.</summary>
    public int Number => (int)handle;

    public static SocketDescriptor Open(int family, int type = Libc.SOCK_STREAM_NONBLOCK_CLOEXEC)
    {
        int fd = Libc.Socket(family, type, 0);
        return fd >= 0 ? new SocketDescriptor(fd) : throw Errno.Exception(Libc.LastError);
    }

    public unsafe int Set(int level, int option, int value) => Libc.SetSockOpt(this, level, option, &value, sizeof(int));

    /// <summary>
    /// Sends without pacing from now on: for streams within one machine. A congestion control that paces (BBR) holds them to a third of what memory and processors
    /// allow, and there is no network to be spared.
    /// </summary>
    public unsafe void Unpace()
    {
        ReadOnlySpan<byte> reno = "reno"u8;
        // every kernel has it; where it may not be chosen, the stream is as fast as it was
        fixed (byte* name = reno) _ = Libc.SetSockOpt(this, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, (uint)reno.Length);
    }

    /// <summary>Makes the coming close a reset (RST) instead of an orderly end.</summary>
    public unsafe void ResetOnClose()
    {
        int* linger = stackalloc int[2] { 1, 0 };
        // fails only on sockets that are dead already
        _ = Libc.SetSockOpt(this, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
    }

    /// <summary>Takes the socket's pending error; 0 when there is none.</summary>
    public unsafe int TakeError()
    {
        int value = 0;
        uint length = sizeof(int);
        return Libc.GetSockOpt(this, Libc.SOL_SOCKET, Libc.SO_ERROR, &value, &length) == 0 ? value : Libc.LastError;
    }

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
