namespace ProxyShell.Engine.Tests.Striping;

/// <summary>Whatever happens to stripes, the bytes that come out are those that went in.</summary>
public class ScheduleTests
{
    private const int Schedules = 1000;

    [Fact]
    public void Any_interleaving_delay_duplication_or_loss_of_stripes_gives_exactly_the_bytes_or_an_error()
    {
        int first = Environment.TickCount & 0xFFFFFF, losses = 0;
        long resent = 0;
        Parallel.For(0, Schedules, i =>
        {
            int seed = first + i;
            try
            {
                using var pipe = new SimulatedPipe(seed);
                pipe.Run();
                Interlocked.Add(ref losses, pipe.Losses);
                Interlocked.Add(ref resent, pipe.Resent);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        });
        // or nothing was tried
        Assert.True(losses > Schedules && resent > Schedules, $"{losses} losses, {resent} bytes sent again (seeds {first} to {first + Schedules - 1})");
    }
}
