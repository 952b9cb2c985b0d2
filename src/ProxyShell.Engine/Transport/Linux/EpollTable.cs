namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// Gives each registration a token of slot and generation. An event that was already queued for a descriptor that has since
/// been closed carries an old generation and finds nobody, even when the slot or the descriptor's number was used again.
/// </summary>
internal sealed class EpollTable
{
    private readonly Stack<int> _free = new();
    private IEpollHandler?[] _handlers = new IEpollHandler?[64];
    private uint[] _generations = new uint[64];
    private int _used;

    public ulong Add(IEpollHandler handler)
    {
        lock (_free)
        {
            if (!_free.TryPop(out int slot))
            {
                slot = _used++;
                if (slot == _handlers.Length)
                {
                    Array.Resize(ref _handlers, slot * 2);
                    Array.Resize(ref _generations, slot * 2);
                }
            }
            _handlers[slot] = handler;
            return ((ulong)_generations[slot] << 32) | (uint)slot;
        }
    }

    public void Remove(ulong token)
    {
        (int slot, uint generation) = Split(token);
        lock (_free)
        {
            if (_generations[slot] != generation || _handlers[slot] is null) return;
            _handlers[slot] = null;
            _generations[slot]++;
            _free.Push(slot);
        }
    }

    /// <summary>Finds the handlers of a batch of events in one go.</summary>
    public void Resolve(ReadOnlySpan<ulong> tokens, Span<IEpollHandler?> handlers)
    {
        lock (_free)
        {
            for (int i = 0; i < tokens.Length; i++)
            {
                (int slot, uint generation) = Split(tokens[i]);
                handlers[i] = (uint)slot < (uint)_used && _generations[slot] == generation ? _handlers[slot] : null;
            }
        }
    }

    private static (int Slot, uint Generation) Split(ulong token) => ((int)(uint)token, (uint)(token >> 32));
}
