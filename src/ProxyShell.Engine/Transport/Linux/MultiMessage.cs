using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>struct mmsghdr of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MultiMessage
{
    public Message Message;
    public uint Length;
}
