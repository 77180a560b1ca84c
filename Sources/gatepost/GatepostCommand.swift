import ArgumentParser
import Dispatch
import Foundation
import Gateway
import Store

/// The entry point of the process.
@main
enum Main {
    /// Run the command on another thread and block the first thread until it ends. With an
    /// asynchronous `main` the first thread exits. For the C library that thread then no longer
    /// exists, so it would keep root's privileges when the other threads drop them.
    static func main() {
        // A command holds the master key, passwords and tokens, as the gateway does.
        Privileges.forbidCoreDumps()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await GatepostCommand.start()
            done.signal()
        }
        done.wait()
    }
}

/// The root command `gatepost`.
///
/// Shape: `gatepost NOUN VERB ARGUMENTS`, for example `gatepost user add anna@kanzlei.example`.
/// A noun without verbs is a command itself: `gatepost serve`. Scripts depend on nouns, verbs, JSON
/// keys and exit statuses.
struct GatepostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatepost",
        abstract: "Control who may see and send from which mailbox, at one gateway.",
        subcommands: [
            InitCommand.self, ServeCommand.self, ServiceCommand.self, DemoCommand.self,
            UserCommand.self,
            GroupCommand.self,
            AccountCommand.self, GrantCommand.self, PermissionsCommand.self, WallCommand.self,
            ConsentCommand.self, SessionCommand.self, SentCommand.self, TransferCommand.self,
            StoreCommand.self, ExplainCommand.self,
            ReportCommand.self,
            AuditCommand.self,
            ExportCommand.self,
            ApplyCommand.self, DoctorCommand.self,
        ]
    )

    /// `gatepost` without arguments prints the next step.
    func run() async throws {
        print(try await NextStep.text())
    }

    /// Parses the arguments, runs the command and prints its error.
    ///
    /// Exit status: 0 for success, 1 for a refusal or an object that does not exist, 2 for wrong
    /// usage. An error is one line on standard error.
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

    /// Prints one line on standard error and ends the process with exit status 1.
    /// - Parameter text: the problem and its remedy; control characters in it are escaped.
    private static func complain(_ text: String) -> Never {
        Output.note(text)
        Foundation.exit(1)
    }
}
