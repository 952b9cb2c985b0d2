using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>struct msghdr of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Message
{
    public byte* Name;
    public uint NameLength;
    public MemoryPart* Parts;
    public nint PartCount;
    public byte* Control;
    public nint ControlLength;
    public int Flags;
}
