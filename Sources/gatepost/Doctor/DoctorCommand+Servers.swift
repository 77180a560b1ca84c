import Access
import Gateway
import Store

/// The checks of the mail servers: a login at each with the stored credential.
///
/// A credential that a server refused before is not tried there again (``StoredCredentials``): a
/// further attempt could lock the account.
extension DoctorCommand {
    /// Logs in at the servers of every account, one after the other.
    ///
    /// Without a usable master key it adds no finding: ``DoctorCommand`` reports the key itself.
    ///
    /// - Throws: `StoreError` if the accounts cannot be read. Errors of servers become findings.
    static func checkServers(
        _ store: PermissionStore,
        configuration: GatewayConfiguration,
        findings: inout [Finding]
    ) async throws {
        guard let masterKey = try? MasterKey(file: configuration.masterKey) else { return }
        let sources = CredentialSource(masterKey, application: configuration.exchange)
        let stored = StoredCredentials(configuration)
        let permissions = configuration.authentication.learns ? try store.load() : nil
        for account in try store.accounts() {
            let upstream = try store.upstream(account.address)
            // IMAP first: a credential refused there is not tried at the submission server.
            let awaited = permissions.flatMap {
                configuration.authentication.teacher(of: upstream.id, in: $0)?.login
            }
            let mailbox = await Self.checkMailbox(
                upstream,
                awaiting: awaited,
                store: store,
                sources: sources,
                stored: stored
            )
            // A mailbox that waits for its owner waits for sending, too.
            if awaited == nil || upstream.sealedPassword != nil {
                findings += await Self.checkSending(upstream, sources: sources, stored: stored)
            }
            findings.append(mailbox)
        }
        await sources.shutdown()
    }

    /// Logs in at the IMAP server, and compares its folder list (`LIST`, RFC 9051 §6.3.9) with the
    /// grants.
    ///
    /// - Parameter owner: the user whose next login gives the gateway the credential, if it has none
    ///   that works; nil if nothing is learnt.
    /// - Returns: `warning` if the list has folders whose names the gateway cannot use; no user sees
    ///   these.
    private static func checkMailbox(
        _ account: UpstreamAccount,
        awaiting owner: Address?,
        store: PermissionStore,
        sources: CredentialSource,
        stored: StoredCredentials
    ) async -> Finding {
        let subject = "\(account.address) at \(account.imap.host):\(account.imap.port)"
        if let owner, account.sealedPassword == nil {
            let remedy = "\(owner) has to log in at the gateway, which then knows the password"
            return Finding(subject: subject, state: "waiting", remedy: remedy)
        }
        if let found = await stored.suspension(of: account, service: .imap) {
            return Self.refused(subject, explanation: found.explanation, awaiting: owner)
        }
        do {
            let credential = try await sources.credential(of: account)
            let report = try await stored.probe(account, service: .imap) { () throws(ProbeError) in
                try await UpstreamProbe().probe(account, credential: credential)
            }
            let missing = try store.foldersOfGrants(on: account.address, missingIn: report)
            let grants = Self.remedy(for: missing, of: account)
            guard report.omitted > 0 else {
                let state = "ok (\(report.folders.count) folders)"
                return Finding(subject: subject, state: state, remedy: grants)
            }
            let names =
                "rename these folders there, no user sees them: "
                + report.omittedLines.joined(separator: "; ")
            return Finding(
                subject: subject,
                state: "warning (\(report.folders.count) folders, \(report.omitted) omitted)",
                remedy: [names, grants].compactMap(\.self).joined(separator: "; ")
            )
        } catch ProbeError.credentialRefused {
            let explanation = "\(ProbeError.credentialRefused)"
            return Self.refused(subject, explanation: explanation, awaiting: owner)
        } catch {
            return Finding(subject: subject, state: "failed", remedy: "\(error)")
        }
    }

    /// The finding about a mailbox whose server refuses the stored credential.
    private static func refused(
        _ subject: String,
        explanation: String,
        awaiting owner: Address?
    ) -> Finding {
        guard let owner else {
            return Finding(subject: subject, state: "failed", remedy: explanation)
        }
        let remedy =
            "the server refuses the stored password: \(owner) has to log in at the gateway, or set it "
            + "with gatepost account set"
        return Finding(subject: subject, state: "failed", remedy: remedy)
    }

    /// The remedy for grants on folders that the server does not list; nil if there are none.
    private static func remedy(for missing: [FolderPath], of account: UpstreamAccount) -> String? {
        guard let first = missing.first else { return nil }
        let others = missing.count > 1 ? " and \(missing.count - 1) more" : ""
        return "grants on missing folders have no effect: \(first)\(others); see gatepost "
            + "account test \(account.address), and grant the folders under the names that it lists"
    }

    /// Logs in at the submission server (RFC 6409), without a message.
    ///
    /// - Returns: no finding for an account without such a server.
    private static func checkSending(
        _ account: UpstreamAccount,
        sources: CredentialSource,
        stored: StoredCredentials
    ) async -> [Finding] {
        guard let smtp = account.smtp else { return [] }
        let subject = "\(account.address) sending at \(smtp.host):\(smtp.port)"
        if let found = await stored.suspension(of: account, service: .submission) {
            return [Finding(subject: subject, state: "failed", remedy: found.explanation)]
        }
        do {
            let credential = try await sources.credential(of: account)
            _ = try await stored.probe(account, service: .submission) { () throws(ProbeError) in
                try await SubmissionProbe().probe(smtp, credential: credential)
            }
            return [Finding(subject: subject, state: "ok")]
        } catch {
            return [Finding(subject: subject, state: "failed", remedy: "\(error)")]
        }
    }
}
