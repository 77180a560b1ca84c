import Access
import Gateway
import Store

/// What `doctor` finds at the mail servers.
extension DoctorCommand {
    static func checkServers(
        _ store: PermissionStore,
        configuration: GatewayConfiguration,
        findings: inout [Finding]
    ) async throws {
        guard let masterKey = try? MasterKey(file: configuration.masterKey) else { return }
        let sources = CredentialSource(masterKey, application: configuration.exchange)
        let stored = StoredCredentials(configuration)
        for account in try store.accounts() {
            let upstream = try store.upstream(account.address)
            // First where the mailbox is: what is refused there is not tried at the server for sending.
            let mailbox = await Self.checkMailbox(
                upstream,
                store: store,
                sources: sources,
                stored: stored
            )
            findings += await Self.checkSending(upstream, sources: sources, stored: stored)
            findings.append(mailbox)
        }
        await sources.shutdown()
    }

    private static func checkMailbox(
        _ account: UpstreamAccount,
        store: PermissionStore,
        sources: CredentialSource,
        stored: StoredCredentials
    ) async -> Finding {
        let subject = "\(account.address) at \(account.imap.host):\(account.imap.port)"
        if let found = await stored.suspension(of: account, .imap) {
            return Finding(subject: subject, state: "failed", remedy: found.explanation)
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
                "rename there, nobody sees them: " + report.omittedLines.joined(separator: "; ")
            return Finding(
                subject: subject,
                state: "warning (\(report.folders.count) folders, \(report.omitted) omitted)",
                remedy: [names, grants].compactMap(\.self).joined(separator: "; ")
            )
        } catch {
            return Finding(subject: subject, state: "failed", remedy: "\(error)")
        }
    }

    private static func remedy(for missing: [FolderPath], of account: UpstreamAccount) -> String? {
        guard let first = missing.first else { return nil }
        let others = missing.count > 1 ? " and \(missing.count - 1) more" : ""
        return "grants on folders that are not there give nothing: \(first)\(others); see gatepost "
            + "account test \(account.address), and grant the folders under the names that it lists"
    }

    private static func checkSending(
        _ account: UpstreamAccount,
        sources: CredentialSource,
        stored: StoredCredentials
    ) async -> [Finding] {
        guard let smtp = account.smtp else { return [] }
        let subject = "\(account.address) sending at \(smtp.host):\(smtp.port)"
        if let found = await stored.suspension(of: account, .submission) {
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
