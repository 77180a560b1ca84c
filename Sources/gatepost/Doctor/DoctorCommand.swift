import ArgumentParser
import Cryptography
import Foundation
import Gateway
import Store

/// `gatepost doctor`: exit status 1 if a check failed.
///
/// A caller who came by sudo needs the role `settings`, since the checks use every credential.
///
/// It checks the configuration, certificates and keys, the master key, the store, a login at each
/// server, the running gateway, waiting copies and moves, the audit log, and notices to owners.
/// It changes nothing. A warning does not change the exit status.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check configuration, certificates, store and servers, and print each remedy."
    )

    /// The remaining validity, in seconds, below which a certificate causes a warning.
    private static let warningTime: TimeInterval = 21 * 86_400

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption

    /// The result of one check: an element of the JSON array of `doctor --json`.
    struct Finding: Encodable {
        /// The file, server or part that was checked.
        var subject: String
        /// `ok`, `warning`, `failed` or `not running`; details may follow in parentheses.
        var state: String
        /// The problem and its remedy; nil if there is none.
        var remedy: String?
    }

    func run() async throws {
        // The checks log in at every server with the stored credentials.
        if Actor.current.isBySudo { _ = try await self.configuration.openForChange() }
        var findings: [Finding] = []
        let configuration = try await self.configuration.load()
        findings.append(Finding(subject: configuration.file, state: "ok"))
        for files in configuration.certificates {
            findings.append(contentsOf: Self.check(files, configuration: configuration))
        }
        let store = await Self.check(configuration, findings: &findings)
        if let store {
            try await Self.checkServers(store, configuration: configuration, findings: &findings)
        }
        findings.append(await Self.checkGateway(store, configuration: configuration))
        findings.append(Self.checkCopies(store, configuration: configuration))
        findings += Self.checkUnknownCopies(store, configuration: configuration)
        findings += await Self.checkMissingCopies(configuration)
        if let store {
            findings.append(try Self.checkTransfers(store))
            findings.append(try Self.checkCopiesLeft(store))
            findings += try Self.checkGroups(store, configuration: configuration)
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
            throw Failure("a check failed: see the remedies of the lines with failed")
        }
    }

    /// Checks that the certificate is valid and that only its owner may read the key.
    ///
    /// Of the certificate chain it checks the first certificate (`notAfter`, RFC 5280 §4.1.2.5).
    ///
    /// - Returns: one finding for the certificate, and one for the key.
    private static func check(
        _ files: CertificateFiles,
        configuration: GatewayConfiguration
    ) -> [Finding] {
        guard let text = try? String(contentsOfFile: files.certificate, encoding: .utf8),
            let certificate = try? Certificate(pem: text)
        else {
            return [
                Finding(
                    subject: files.certificate,
                    state: "failed",
                    remedy: "not a certificate in PEM format: correct tls.certificates"
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
                remedy: state == "ok" ? nil : "expires \(ends): renew it"
            )
        )
        let store = try? FileManager.default.attributesOfItem(atPath: configuration.store)
        // With `user`, root reads the key before the gateway becomes that user.
        let user = configuration.runAs == nil ? store?[.ownerAccountName] as? String : nil
        let remedy = self.remedy(ofKey: files.key, user: user ?? "root")
        findings.append(
            Finding(subject: files.key, state: remedy == nil ? "ok" : "failed", remedy: remedy)
        )
        return findings
    }

    /// What to do about the key of a certificate; nil if nothing.
    /// - Parameters:
    ///   - key: the file.
    ///   - user: who reads the key: the owner of the store, who runs the gateway. Root reads every file.
    static func remedy(ofKey key: String, user: String) -> String? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: key),
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue
        else { return "missing: correct tls.keys" }
        guard mode & 0o077 == 0 else { return "chmod 600 \(key)" }
        guard user != "root", user != attributes[.ownerAccountName] as? String else { return nil }
        return "the gateway's user cannot read it: chown \(user) \(key)"
    }

    /// Checks the master key and the integrity of the store file.
    /// - Returns: the store; nil if it is unusable.
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
            let store = try PermissionStore(configuration.storeLocation, creates: false)
            let problem = try store.integrityProblem()
            findings.append(
                Finding(
                    subject: configuration.storeLocation.name,
                    state: problem == nil ? "ok" : "failed",
                    remedy: problem.map { "restore a backup: \($0)" }
                )
            )
            return store
        } catch {
            findings.append(
                Finding(
                    subject: configuration.storeLocation.name,
                    state: "failed",
                    remedy: "\(error)"
                )
            )
            return nil
        }
    }

    /// Reports moves between accounts that were interrupted and cannot be completed.
    private static func checkTransfers(_ store: PermissionStore) throws -> Finding {
        let count = try store.interruptedTransfers()
        return Finding(
            subject: "moves between accounts",
            state: count == 0 ? "ok" : "failed",
            remedy: count == 0
                ? nil
                : "\(count) interrupted and cannot be completed: a mail server is unusable, or the "
                    + "gateway does not run; see the log for the server"
        )
    }
}
