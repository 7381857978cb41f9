//! The quorum's control records that have structure: LeaderChangeMessage (versions 0 and 1, KIP-595 and 853)
//! and VotersRecord (version 0, KIP-853).

use super::Uuid;
use super::fields::{Fields, put_array, put_string, put_tags};
use crate::error::BatchError;

/// A leader begins an epoch. Version 0 has no directory ids; they are then zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderChange {
    /// 0 or 1: the message's version, and its first field.
    pub version: i16,
    pub leader_id: i32,
    pub voters: Vec<QuorumVoter>,
    /// Those who voted for this leader.
    pub granting_voters: Vec<QuorumVoter>,
}

/// A voter as LeaderChange names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumVoter {
    pub id: i32,
    pub directory_id: Uuid,
}

/// A voter with all that others need to reach and understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    pub id: i32,
    pub directory_id: Uuid,
    pub endpoints: Vec<VoterEndpoint>,
    /// Range of `kraft.version` that it supports.
    pub min_kraft_version: i16,
    pub max_kraft_version: i16,
}

/// Where a voter listens, by listener name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterEndpoint {
    pub name: String,
    pub host: String,
    pub port: u16,
}

impl LeaderChange {
    pub(super) fn decode(mut value: Fields<'_>) -> Result<Self, BatchError> {
        let version = value.i16()?;
        if version < 0 {
            return Err(BatchError::Control { what: "negative value version" });
        }
        let leader_id = value.i32()?;
        let voter = |value: &mut Fields<'_>| {
            let id = value.i32()?;
            let directory_id = if version > 0 { value.uuid()? } else { Uuid::default() };
            value.tags()?;
            Ok(QuorumVoter { id, directory_id })
        };
        let voters = value.array(voter)?;
        let granting_voters = value.array(voter)?;
        value.tags()?;
        Ok(Self { version, leader_id, voters, granting_voters })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), BatchError> {
        if !matches!(self.version, 0 | 1) {
            return Err(BatchError::Control { what: "LeaderChange has versions 0 and 1" });
        }
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.leader_id.to_be_bytes());
        for voters in [&self.voters, &self.granting_voters] {
            put_array(out, voters, |out, voter| {
                out.extend_from_slice(&voter.id.to_be_bytes());
                if self.version > 0 {
                    out.extend_from_slice(&voter.directory_id);
                }
                put_tags(out);
                Ok(())
            })?;
        }
        put_tags(out);
        Ok(())
    }
}

pub(super) fn decode_voters(mut value: Fields<'_>) -> Result<Vec<Voter>, BatchError> {
    let voters = value.array(|value| {
        let id = value.i32()?;
        let directory_id = value.uuid()?;
        let endpoints = value.array(|value| {
            let endpoint = VoterEndpoint { name: value.string()?, host: value.string()?, port: value.u16()? };
            value.tags()?;
            Ok(endpoint)
        })?;
        let (min_kraft_version, max_kraft_version) = (value.i16()?, value.i16()?);
        // Once for the version range, once for the voter around it.
        value.tags()?;
        value.tags()?;
        Ok(Voter { id, directory_id, endpoints, min_kraft_version, max_kraft_version })
    })?;
    value.tags()?;
    Ok(voters)
}

pub(super) fn encode_voters(voters: &[Voter], out: &mut Vec<u8>) -> Result<(), BatchError> {
    put_array(out, voters, |out, voter| {
        out.extend_from_slice(&voter.id.to_be_bytes());
        out.extend_from_slice(&voter.directory_id);
        put_array(out, &voter.endpoints, |out, endpoint| {
            put_string(out, &endpoint.name)?;
            put_string(out, &endpoint.host)?;
            out.extend_from_slice(&endpoint.port.to_be_bytes());
            put_tags(out);
            Ok(())
        })?;
        out.extend_from_slice(&voter.min_kraft_version.to_be_bytes());
        out.extend_from_slice(&voter.max_kraft_version.to_be_bytes());
        put_tags(out);
        put_tags(out);
        Ok(())
    })
}
