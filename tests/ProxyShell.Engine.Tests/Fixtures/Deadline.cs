namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Every wait in the tests has a deadline, so that a hang is a failure with a name.</summary>
internal static class Deadline
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(30);

    public static async Task Within(this Task task, double seconds = 0) =>
        await task.WaitAsync(seconds > 0 ? TimeSpan.FromSeconds(seconds) : Default);

    public static async Task<T> Within<T>(this Task<T> task, double seconds = 0) =>
        await task.WaitAsync(seconds > 0 ? TimeSpan.FromSeconds(seconds) : Default);

    public static Task<T> Within<T>(this ValueTask<T> task, double seconds = 0) => task.AsTask().Within(seconds);

    public static Task Within(this ValueTask task, double seconds = 0) => task.AsTask().Within(seconds);

    /// <summary>Waits until a state holds that other threads bring about.</summary>
    public static async Task Until(Func<bool> holds, string what, double seconds = 15)
    {
        long start = Environment.TickCount64;
        while (!holds())
        {
            Assert.True(Environment.TickCount64 - start < seconds * 1000, $"not within {seconds} s: {what}");
            // leaves the processor to those who bring it about
            await Task.Delay(1);
        }
    }
}
