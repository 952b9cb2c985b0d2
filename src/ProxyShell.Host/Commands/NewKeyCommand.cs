using System.CommandLine;
using ProxyShell.Engine.Security;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell new-key</c>: makes a key.</summary>
internal static class NewKeyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write it to, readable for you alone; it must not exist. Without it the key is printed.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("new-key", "Make a random key that a proxy server and its clients share.") { file };
        command.SetAction(result =>
        {
            ProxyKey key = ProxyKey.Create();
            if (result.GetValue(file) is { } path) WriteFile(path, key);
            else Console.WriteLine(key.Reveal());
            return ExitCode.Ok;
        });
        return command;
    }

    private static void WriteFile(string path, ProxyKey key)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(path, options)) writer.WriteLine(key.Reveal());
        Console.WriteLine($"{key} written to {path}");
    }
}
