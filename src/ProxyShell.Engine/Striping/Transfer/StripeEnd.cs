using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>A stripe's connection that is to be ended, outside the lock.</summary>
internal sealed class StripeEnd(Stripe stripe, ProxyException why) : IWake
{
    public void Wake() => stripe.Abort(why);
}
