using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Sessions;

/// <summary>The peer's offers that nobody has decided on, and those who wait for one: first come, first served, by name or for any.</summary>
internal sealed class OfferBook(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<SessionChannel> _offers = [];
    private readonly LinkedList<OfferWaiter> _waiters = [];
    private ProxyException? _failure;

    /// <summary>Hands an offer to the first who waits for it, or keeps it; false when too many are kept.</summary>
    public bool TryAdd(SessionChannel channel)
    {
        lock (_gate)
        {
            for (LinkedListNode<OfferWaiter>? node = _waiters.First; node is not null; node = node.Next)
            {
                if (!node.Value.Wants(channel.Name)) continue;
                _waiters.Remove(node);
                if (node.Value.Task.TrySetResult(channel)) return true;
            }
            if (_offers.Count >= most || _failure is not null) return false;
            _offers.AddLast(channel);
            return true;
        }
    }

    /// <summary>Takes the first offer of the name, or the first of any (null); waits for one.</summary>
    public async Task<SessionChannel> TakeAsync(string? name, CancellationToken cancellationToken)
    {
        var waiter = new OfferWaiter(name);
        LinkedListNode<OfferWaiter> place;
        lock (_gate)
        {
            if (_failure is not null) throw _failure;
            for (LinkedListNode<SessionChannel>? node = _offers.First; node is not null; node = node.Next)
            {
                if (!waiter.Wants(node.Value.Name)) continue;
                _offers.Remove(node);
                return node.Value;
            }
            place = _waiters.AddLast(waiter);
        }
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister((_, token) => Leave(place, token), null);
        await using (registration.ConfigureAwait(false)) return await waiter.Task.Task.ConfigureAwait(false);
    }

    /// <summary>Takes an offer out; false when it is not here (any more).</summary>
    public bool Remove(SessionChannel channel)
    {
        lock (_gate) return _offers.Remove(channel);
    }

    /// <summary>The session is over: nobody waits any longer.</summary>
    public void Close(ProxyException failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            foreach (OfferWaiter waiter in _waiters) waiter.Task.TrySetException(failure);
            _waiters.Clear();
            _offers.Clear();
        }
    }

    private void Leave(LinkedListNode<OfferWaiter> place, CancellationToken token)
    {
        lock (_gate)
        {
            if (place.Value.Task.TrySetCanceled(token)) _waiters.Remove(place);
        }
    }
}
