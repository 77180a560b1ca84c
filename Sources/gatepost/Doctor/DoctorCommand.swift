import ArgumentParser
import Cryptography
import Foundation
import Gateway
import Store

/// `gatepost doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check configuration, certificates, store and mail servers, each with its remedy."
    )

    /// A certificate that ends within this time is worth a word.
    private static let warningTime: TimeInterval = 21 * 86_400

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption

    /// One thing that was looked at.
    struct Finding: Encodable {
        var subject: String
        var state: String
        var remedy: String?
    }

    func run() async throws {
        // It logs in at every server; but it tells what is wrong with the store, too.
        if Actor.current.isBySudo { _ = try await self.configuration.openForChange() }
        var findings: [Finding] = []
        let configuration = try await self.configuration.load()
        findings.append(Finding(subject: configuration.file, state: "ok"))
        for files in configuration.certificates {
            findings.append(contentsOf: Self.check(files))
        }
        let store = await Self.check(configuration, findings: &findings)
        if let store {
            try await Self.checkServers(store, configuration: configuration, findings: &findings)
        }
        findings.append(await Self.checkGateway(store, configuration: configuration))
        findings.append(Self.checkCopies(configuration))
        if let store {
            findings.append(try Self.checkTransfers(store))
            findings.append(try Self.checkCopiesLeft(store))
            findings += try Self.checkOversight(store, configuration: configuration)
        }
        if self.output.json {
            try Output.json(findings)
        } else {
            Output.table(
                ["WHAT", "STATE", "REMEDY"],
                rows: findings.map { [$0.subject, $0.state, $0.remedy ?? ""] }
            )
        }
        guard findings.allSatisfy({ $0.state != "failed" }) else {
            throw Failure("something is wrong; the lines that say failed tell what to do")
        }
    }

    private static func check(_ files: CertificateFiles) -> [Finding] {
        guard let text = try? String(contentsOfFile: files.certificate, encoding: .utf8),
            let certificate = try? Certificate(pem: text)
        else {
            return [
                Finding(
                    subject: files.certificate,
                    state: "failed",
                    remedy: "not a certificate in PEM: check tls.certificates"
                )
            ]
        }
        var findings: [Finding] = []
        let ends = Date(timeIntervalSince1970: TimeInterval(certificate.notAfter))
        let remaining = ends.timeIntervalSinceNow
        let state = remaining < 0 ? "failed" : remaining < Self.warningTime ? "warning" : "ok"
        findings.append(
            Finding(
                subject: files.certificate,
                state: state,
                remedy: state == "ok" ? nil : "ends \(ends): renew it"
            )
        )
        let attributes = try? FileManager.default.attributesOfItem(atPath: files.key)
        let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue
        let isPrivate = mode.map { $0 & 0o077 == 0 } ?? false
        findings.append(
            Finding(
                subject: files.key,
                state: isPrivate ? "ok" : "failed",
                remedy: isPrivate ? nil : mode == nil ? "missing" : "chmod 600 \(files.key)"
            )
        )
        return findings
    }

    private static func check(
        _ configuration: GatewayConfiguration,
        findings: inout [Finding]
    ) async -> PermissionStore? {
        do {
            _ = try MasterKey(file: configuration.masterKey)
            findings.append(Finding(subject: configuration.masterKey, state: "ok"))
        } catch {
            findings.append(
                Finding(subject: configuration.masterKey, state: "failed", remedy: "\(error)")
            )
        }
        do {
            try await StoreInPlace.require(configuration)
            let store = try PermissionStore(path: configuration.store, creates: false)
            let problem = try store.integrityProblem()
            findings.append(
                Finding(
                    subject: configuration.store,
                    state: problem == nil ? "ok" : "failed",
                    remedy: problem.map { "restore a backup: \($0)" }
                )
            )
            return store
        } catch {
            findings.append(
                Finding(subject: configuration.store, state: "failed", remedy: "\(error)")
            )
            return nil
        }
    }

    /// Messages on their way between accounts that have been so for long.
    private static func checkTransfers(_ store: PermissionStore) throws -> Finding {
        let count = try store.interruptedTransfers()
        return Finding(
            subject: "moves between accounts",
            state: count == 0 ? "ok" : "failed",
            remedy: count == 0
                ? nil
                : "\(count) were interrupted and cannot be brought to their end: a mail server cannot "
                    + "be used, or the gateway does not run; the log says which"
        )
    }

    /// Copies of sent messages that could not be filed lie where they wait.
    private static func checkCopies(_ configuration: GatewayConfiguration) -> Finding {
        let waiting = SentCopies.waiting(store: configuration.store)
        guard !waiting.isEmpty else { return Finding(subject: "copies in Sent", state: "ok") }
        return Finding(
            subject: "copies in Sent",
            state: "failed",
            // The names of the files stay here: others could have them read as something else.
            remedy:
                "\(waiting.count) could not be filed: the log says why; while it runs, the gateway "
                + "tries again after 30 seconds, 5 minutes, and then each hour"
        )
    }
}
