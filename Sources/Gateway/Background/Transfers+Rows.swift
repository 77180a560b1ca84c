import Session
import Store

extension TransferRow {
    init(_ transfer: Transfer) {
        self.init(
            state: Transfer.State.begun.rawValue,
            moves: transfer.moves,
            source: Place(transfer.source),
            uids: transfer.uids,
            target: Place(transfer.target),
            uidNext: transfer.uidNext
        )
    }
}

extension TransferRow.Place {
    fileprivate init(_ place: Transfer.Place) {
        self.init(account: place.account, folder: place.folder, uidValidity: place.uidValidity)
    }

    fileprivate var place: Transfer.Place {
        Transfer.Place(
            account: self.account,
            folder: self.folder,
            uidValidity: self.uidValidity
        )
    }
}

extension TransferRow.Copy {
    init(_ message: Transfer.Message) {
        self.init(
            source: message.source,
            octets: message.octets,
            date: message.date,
            digest: message.digest.octets
        )
    }

    /// - Returns: nil for what the store cannot have written.
    fileprivate var copy: Transfer.Copy? {
        MessageDigest(octets: self.digest).map { digest in
            Transfer.Copy(
                message: Transfer.Message(
                    source: self.source,
                    octets: self.octets,
                    date: self.date,
                    digest: digest
                ),
                isStored: self.isStored,
                uid: self.uid
            )
        }
    }
}

extension AppendOutcome {
    /// Nil where the journal learns nothing by it.
    var forStore: TransferRow.Answer? {
        switch self.answer {
        case .missing: nil
        case .refused: .refused
        case .stored(let uids): .stored(uids: uids)
        }
    }
}

extension Transfer {
    init(_ row: TransferRow) {
        self.init(
            moves: row.moves,
            source: row.source.place,
            uids: row.uids,
            target: row.target.place,
            uidNext: row.uidNext
        )
        self.copies = row.copies.compactMap(\.copy)
        self.isContested = row.isContested
        self.recordsCopies = row.recordsCopies
    }
}
