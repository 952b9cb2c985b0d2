using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

public class AcceptBackOffTests
{
    [Fact]
    public void Pauses_double_up_to_a_second_and_start_again_after_a_success()
    {
        var pauses = new AcceptBackOff();
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal([25, 50, 100, 200, 400, 800, 1000, 1000], Enumerable.Range(0, 8).Select(_ => (int)pauses.Next().TotalMilliseconds).ToArray());
            pauses.Reset();
        }
    }
}
