namespace ProxyShell.Engine.Security;

/// <summary>
/// Memory for one datagram while it is sealed or opened, one of each per thread: what one flow opened another may seal in the same
/// call, but nothing is sealed or opened within its like.
/// </summary>
internal static class DatagramScratch
{
    private const int Length = 65_536;

    [ThreadStatic]
    private static byte[]? t_sealing;

    [ThreadStatic]
    private static byte[]? t_opening;

    public static byte[] Sealing => t_sealing ??= GC.AllocateUninitializedArray<byte>(Length);

    public static byte[] Opening => t_opening ??= GC.AllocateUninitializedArray<byte>(Length);
}
