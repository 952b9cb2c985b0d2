namespace ProxyShell.Engine.Tests.Fixtures;

internal static class RandomBytes
{
    /// <summary>The same bytes for the same seed.</summary>
    public static byte[] Of(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
