import ArgumentParser
import Dispatch
import Foundation
import Gateway
import Store

/// Where the process begins.
@main
enum Main {
    /// The first thread waits for the command. Where `main` is asynchronous that thread exits instead,
    /// as the C library sees it, and would keep root's rights when the others give them up.
    static func main() {
        // Commands hold the master key, passwords and tokens, as the gateway does.
        Privileges.forbidCoreDumps()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await GatepostCommand.start()
            done.signal()
        }
        done.wait()
    }
}

/// The command line: noun, then verb.
struct GatepostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatepost",
        abstract:
            "Run and manage a mail access gateway: who may see which mailbox, decided in one place.",
        subcommands: [
            InitCommand.self, ServeCommand.self, ServiceCommand.self, DemoCommand.self,
            UserCommand.self,
            GroupCommand.self,
            AccountCommand.self, GrantCommand.self, PermissionsCommand.self, WallCommand.self,
            ConsentCommand.self, SessionCommand.self, StoreCommand.self, ExplainCommand.self,
            ReportCommand.self,
            AuditCommand.self,
            ExportCommand.self,
            ApplyCommand.self, DoctorCommand.self,
        ]
    )

    /// Exit status: 0 done, 1 refused or not found, 2 wrong usage.
    static func start() async {
        do {
            var command = try Self.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as Failure {
            Self.complain(error.description)
        } catch let error as StoreError {
            Self.complain(error.description)
        } catch {
            let code = Self.exitCode(for: error)
            guard code.rawValue == 0 || code == .validationFailure else {
                Self.complain("\(error)")
            }
            let text = Self.fullMessage(for: error)
            if code.rawValue == 0 {
                print(text)
                Foundation.exit(0)
            }
            FileHandle.standardError.write(Data((text + "\n").utf8))
            Foundation.exit(2)
        }
    }

    /// One line on standard error, and exit status 1.
    private static func complain(_ text: String) -> Never {
        FileHandle.standardError.write(Data("gatepost: \(Output.printable(text))\n".utf8))
        Foundation.exit(1)
    }
}
