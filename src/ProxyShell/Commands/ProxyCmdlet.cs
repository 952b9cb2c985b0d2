using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>What the cmdlets share: Ctrl+C as a token, waiting for the engine, and errors that name the user's own value.</summary>
public abstract class ProxyCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    private protected CancellationToken StopToken => _stop.Token;

    /// <inheritdoc />
    public void Dispose()
    {
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc />
    protected override void StopProcessing() => _stop.Cancel();

    // pipeline threads have no synchronization context and the engine runs on the pool, so waiting here cannot lock up
    private protected static T Await<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private protected static void Await(Task task) => task.GetAwaiter().GetResult();

    /// <summary>Reads something the user gave; when it is not valid, writes one error about it and gives false.</summary>
    private protected bool TryRead<T>(Func<T> read, string errorId, object? target, [NotNullWhen(true)] out T? value)
        where T : notnull
    {
        try
        {
            value = read();
            return true;
        }
        catch (Exception e) when (e is FormatException or ProxyException)
        {
            WriteError(ProblemRecord.From(e, errorId, target));
            value = default;
            return false;
        }
    }

    /// <summary>Reads every item of a list, writing one error for each that is not valid; false when there was any.</summary>
    private protected bool TryReadEach<TItem, T>(IEnumerable<TItem>? items, Func<TItem, T> read, string errorId, out List<T> values)
        where T : notnull
    {
        (values, bool good) = ([], true);
        foreach (TItem item in items ?? [])
        {
            // the argument's own ToString hides secrets
            if (TryRead(() => read(item), errorId, item?.ToString(), out T? value)) values.Add(value);
            else good = false;
        }
        return good;
    }

    /// <summary>The jobs that an argument means; writes an error when it is a name or id of none.</summary>
    private protected IReadOnlyList<ProxyJob> ReadJobs(JobArgument argument)
    {
        IReadOnlyList<ProxyJob> found = argument.Resolve();
        if (found.Count == 0 && !argument.MayBeNone)
            WriteError(ProblemRecord.NotFound($"'{argument}' is no job of ProxyShell.", "JobNotFound", argument.Target ?? "", "Get-Job shows the jobs of this session."));
        return found;
    }

    /// <summary>Starts the service that <paramref name="make"/> makes and gives its job; on any failure writes one error and gives null.</summary>
    private protected TJob? StartJob<T, TJob>(Func<T> make, Func<T, TJob> makeJob, object target)
        where T : IProxyService
        where TJob : ProxyJob
    {
        try
        {
            return RunJob(make, makeJob);
        }
        catch (Exception e) when (e is FormatException or ProxyException)
        {
            WriteError(ProblemRecord.From(e is FormatException refusal ? OptionWords.AsParameters(refusal) : e, "InvalidOption", target));
            return null;
        }
    }

    /// <summary>Starts the service that <paramref name="make"/> makes and gives its job; after any failure, which is thrown, nothing of it is left.</summary>
    private protected TJob RunJob<T, TJob>(Func<T> make, Func<T, TJob> makeJob)
        where T : IProxyService
        where TJob : ProxyJob
    {
        T? service = default;
        try
        {
            service = make();
            Await(service.StartAsync(StopToken));
            TJob job = makeJob(service);
            job.Begin();
            JobManager.NewJob(new ProxyJobSpecification(job));
            return job;
        }
        catch
        {
            if (service is not null) Await(service.DisposeAsync().AsTask());
            throw;
        }
    }
}
