export { asPickup, PICKUP } from '../../domain/routing/pickup.ts';
